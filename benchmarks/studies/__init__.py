"""The parts of single studies: which runs there are, what is asked of them, what is concluded."""
