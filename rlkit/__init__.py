"""The package behind the course book: what each chapter teaches, in code small enough to read.

Rooms, each importing only from those before it:

``core``   the words shared by all: returns, intervals, checks at the door
``mdp``    one agent in a known world: Markov decision processes, solved exactly
``show``   figures, players, source listings (the only importer of matplotlib and ipywidgets)
``exercises``   checks that name the mistake, and grades for a class
"""
