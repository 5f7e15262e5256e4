"""Anyone's question: what is this file?"""
