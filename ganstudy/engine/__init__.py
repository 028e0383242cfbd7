"""The engine: trials of one shape, stacked along a leading axis and trained as one program."""

from ganstudy.engine.arithmetic import pin

# Here, since whatever imports torch has come by.
pin()
