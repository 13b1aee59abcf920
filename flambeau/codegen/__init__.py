"""Loop nests to machine code, through the text of LLVM IR."""
