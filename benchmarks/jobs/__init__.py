"""Jobs of people with collections of their own, from their files to an archive and back, by the command line alone."""
