"""What not every operating system has, and what is done without it.

Imports nothing of the project but `transforms.errors`; everything may import it.
"""
