"""Exporting: an account's data, or one person's, handed back as one file.

``ask`` writes down that it is wanted, ``build`` makes it in the background, ``hand_out`` gives it, ``keep``
sees that it goes again: after its time, when a file that is in it may not be handed out any more, and with
whom it is about. A crash while it is built leaves objects below its id that nobody can reach, and a lease
that runs out; it is then begun again, and begins with deleting what is there.
"""
