"""The package behind the course book: what each chapter teaches, in code small enough to read.

Rooms, each importing only from those before it:

``core``   the words shared by all: returns, intervals, batches, schedules, checks at the door
``mdp``    one agent in a known world: Markov decision processes, solved exactly
``nets``   parts for deep learners, in torch: networks with an axis of copies, Adam, a replay memory
``envs``   worlds to act in, many at once: CartPole, MinAtar's games, tables, and probes with known answers
``learn``  learners, with a table (no torch) and with a network
``show``   figures, players, source listings (the only importer of matplotlib and ipywidgets)
``exercises``   checks that name the mistake, and grades for a class
``experiments`` the long runs behind the published tables, and their stored results
"""
