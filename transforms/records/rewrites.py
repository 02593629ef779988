"""Every rewrite by the name that the report shows, and what it means. Read by commands that need no HDF5."""

from __future__ import annotations

from collections.abc import Mapping

REWRITES: Mapping[str, str] = {
    "cudnn_lstm_to_lstm": "CuDNNLSTM becomes LSTM: gates out of cuDNN's layout, biases summed, sigmoid gates",
    "cudnn_gru_to_gru": "CuDNNGRU becomes GRU with reset_after: gates out of cuDNN's layout, biases kept apart",
    "bidirectional_masked_steps": "Bidirectional under a mask taken apart: masked steps as the writer put them out",
    "masked_steps_keep_state": "recurrent layers of Keras before 2.2.5 put out the state where a masked step stands",
    "mask_dropped": "layers that handed on no mask in the writing runtime hand on none now",
    "reset_after_stated": "a GRU that stores no `reset_after` resets before the product",
    "stateful_reset_each_call": "stateful layers start from zero at each call of the SavedModel",
    "unrolled_to_loop": "unrolled recurrent layers run as a loop",
    "softmax_without_mask": "Softmax that minded no mask in the writing runtime minds none now",
    "relu_below_zero": "ReLU with a negative threshold, which tf-keras refuses, written out",
    "bilinear_as_written": "bilinear UpSampling2D of standalone Keras samples where TensorFlow 1 sampled",
    "prelu_extents_stated": "a PReLU is told the extents of its alpha where the file does not record the input's shape",
    "extremes_as_written": "Minimum and Maximum pass over a NaN in a later input, as TensorFlow 1 did",
    "channels_first_to_last": "channels_first layers run in channels_last between two transpositions",
    "theano_kernel_rotated": "convolution kernels trained under Theano turned by 180 degrees",
    "theano_same_padding": "`same` padding as Theano places it",
    "theano_full_padding": "Keras 1's border mode `full`, which Theano alone has, as padding in front of the layer",
    "theano_same_pooling": "`same` pooling as Theano places its windows",
    "theano_transposed_same": "transposed convolutions with `same` begin where Theano's did",
    "dot_as_matrix_product": "Dot of more than three axes multiplies matrices, as TensorFlow backends before 2.3 did",
    "augmentation_left_out": "layers that change images in training only hand them on",
    "categories_renamed": "options of CategoryEncoding and lookups under the names that TensorFlow 2.6 gave them",
    "function_named": "TensorFlow functions among the layers called by name, from a closed list",
    "class_renamed": "classes that tf.keras 1.13 to 2.0 stored under another name",
    "virtual_batches_joined": "BatchNormalization with virtual batches, which training alone has, loses an axis",
    "axis_unwrapped": "BatchNormalization axes stored as a list",
    "keras_3_upgraded": "Keras 3 names and operations to those of Keras 2 and TensorFlow",
    "keras_3_masks": "masks of Keras 3 as tensors, given by name to the layers that look at them",
    "activation_apart": "activations of Keras 3 that tf-keras lacks, or means otherwise, behind their layer",
    "hard_sigmoid_scaled": "gates under the hard sigmoid of Keras 3, scaled by 5/6 to that of Keras 2",
    "keras_1_upgraded": "Keras 1 names, options and array layouts to those of Keras 2",
    "keras_1_deconvolution": "Deconvolution2D of Keras 1 puts out as many rows and columns as its config states",
    "keras_1_merge": "Merge of Keras 1 becomes the merge layer of its mode",
    "keras_1_highway": "Highway, dropped by Keras 2, as Dense, Multiply, Add and Subtract",
    "keras_1_maxout_dense": "MaxoutDense, dropped by Keras 2, as Dense and a maximum",
    "keras_1_samplewise_normalization": "BatchNormalization of mode 1, dropped by Keras 2, written out",
}
