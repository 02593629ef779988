"""The operations of Python's bytecode that mean the same in every version, a row each."""

from __future__ import annotations

from collections.abc import Mapping

_TABLE = """
POP_TOP pop
DUP_TOP copy 1
UNARY_POSITIVE unary +
UNARY_NEGATIVE unary -
UNARY_INVERT unary ~
UNARY_NOT not
TO_BOOL truth
BINARY_POWER binary **
BINARY_MULTIPLY binary *
BINARY_MATRIX_MULTIPLY binary @
BINARY_MODULO binary %
BINARY_ADD binary +
BINARY_SUBTRACT binary -
BINARY_DIVIDE binary python-2-/
BINARY_TRUE_DIVIDE binary /
BINARY_FLOOR_DIVIDE binary //
BINARY_LSHIFT binary <<
BINARY_RSHIFT binary >>
BINARY_AND binary &
BINARY_OR binary |
BINARY_XOR binary ^
INPLACE_POWER inplace **
INPLACE_MULTIPLY inplace *
INPLACE_MATRIX_MULTIPLY inplace @
INPLACE_MODULO inplace %
INPLACE_ADD inplace +
INPLACE_SUBTRACT inplace -
INPLACE_DIVIDE inplace python-2-/
INPLACE_TRUE_DIVIDE inplace /
INPLACE_FLOOR_DIVIDE inplace //
INPLACE_LSHIFT inplace <<
INPLACE_RSHIFT inplace >>
INPLACE_AND inplace &
INPLACE_OR inplace |
INPLACE_XOR inplace ^
BINARY_SUBSCR subscript
STORE_SUBSCR store_subscript
LOAD_CONST constant :const
LOAD_FAST local :variable
LOAD_FAST_CHECK local :variable
LOAD_FAST_AND_CLEAR set_aside :variable
STORE_FAST store :variable
DELETE_FAST delete :variable
LOAD_DEREF local :shared
LOAD_CLASSDEREF local :shared
STORE_DEREF store :shared
DELETE_DEREF delete :shared
LOAD_CLOSURE cell :shared
MAKE_CELL renew :variable
LOAD_NAME global :name
IMPORT_NAME import_module :name
IMPORT_FROM import_from :name
BUILD_TUPLE build_tuple :number
BUILD_LIST build_list :number
BUILD_SET build_set :number
BUILD_STRING build_string :number
BUILD_SLICE build_slice :number
BUILD_CONST_KEY_MAP build_map_of_keys :number
BUILD_TUPLE_UNPACK concatenate_tuples :number
BUILD_TUPLE_UNPACK_WITH_CALL concatenate_tuples :number
BUILD_LIST_UNPACK concatenate_lists :number
BUILD_MAP_UNPACK merge_maps :number
UNPACK_SEQUENCE unpack :number
UNPACK_EX unpack_rest :number
LIST_APPEND append :number
LIST_EXTEND extend :number
LIST_TO_TUPLE to_tuple
DICT_UPDATE update :number
DICT_MERGE update :number
STORE_MAP store_map
GET_ITER iterate
GET_YIELD_FROM_ITER iterate
JUMP_FORWARD jump :jump
JUMP_ABSOLUTE jump :jump
JUMP_BACKWARD jump :jump
JUMP_BACKWARD_NO_INTERRUPT jump :jump
CONTINUE_LOOP jump :jump
POP_JUMP_IF_FALSE jump_if_false :jump
POP_JUMP_IF_TRUE jump_if_true :jump
POP_JUMP_IF_NONE jump_if_none :jump
POP_JUMP_IF_NOT_NONE jump_if_not_none :jump
POP_JUMP_FORWARD_IF_FALSE jump_if_false :jump
POP_JUMP_FORWARD_IF_TRUE jump_if_true :jump
POP_JUMP_FORWARD_IF_NONE jump_if_none :jump
POP_JUMP_FORWARD_IF_NOT_NONE jump_if_not_none :jump
POP_JUMP_BACKWARD_IF_FALSE jump_if_false :jump
POP_JUMP_BACKWARD_IF_TRUE jump_if_true :jump
POP_JUMP_BACKWARD_IF_NONE jump_if_none :jump
POP_JUMP_BACKWARD_IF_NOT_NONE jump_if_not_none :jump
JUMP_IF_FALSE_OR_POP jump_if_false_or_pop :jump
JUMP_IF_TRUE_OR_POP jump_if_true_or_pop :jump
FOR_ITER next_or_jump :jump
SETUP_LOOP push_block :jump
SETUP_EXCEPT push_block :jump
SETUP_FINALLY push_block :jump
CALL_FINALLY call_finally :jump
POP_BLOCK pop_block
BREAK_LOOP break
SETUP_WITH enter_with
BEFORE_WITH enter_with
BEGIN_FINALLY constant None
WITH_CLEANUP leave_with
WITH_CLEANUP_START leave_with
END_FINALLY pop
PUSH_NULL null
CALL_METHOD call_of_two :number
KW_NAMES constant :const
RETURN_VALUE return
YIELD_VALUE yield
RETURN_GENERATOR constant None
RAISE_VARARGS raise
LOAD_ASSERTION_ERROR constant None
NOP
RESUME
PRECALL
EXTENDED_ARG
COPY_FREE_VARS
GEN_START
WITH_CLEANUP_FINISH
END_FOR
SETUP_ANNOTATIONS
"""

#: Operation and kind of its argument, by the operation's name in Python.
PLAIN: Mapping[str, list[str]] = {name: rest for name, *rest in (line.split() for line in _TABLE.split("\n") if line)}

OPERATORS = "+ & // << @ * % | ** >> - / ^".split()
COMPARISONS = ("<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not")

#: Unordered, less, greater and equal as bits of a comparison's result (`compare_masks` in Python/compile.c).
COMPARISON_MASKS = {"<": 2, "<=": 10, "==": 8, "!=": 7, ">": 4, ">=": 12}

#: Supported `CALL_INTRINSIC_1` arguments of 3.12 and 3.13.
INTRINSICS = {5: ("unary", "+"), 6: ("to_tuple", None)}
