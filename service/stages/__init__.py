r"""The way of a file, stage by stage.

::

    receive -> sniff -> quarantine -> scan -> judge -> release
       \________ every step moves the upload's state and writes the log, in one transaction ________/

``take_in`` walks it in one pass while the bytes arrive, ``resume`` takes the bytes in by pieces, and
``advance`` walks the rest of it later, in the background. All use the same stages. What a crash after each
durable point leaves behind, and who mends it:

=================================  ==============================================  =======================
crash after                        leaves                                          mended by
=================================  ==============================================  =======================
row RECEIVING                      a row with a lease, perhaps objects             ``recover``: ABANDONED
objects stored                     the same                                        ``recover``: ABANDONED
row RECEIVING of a resumable one   what was saved, perhaps objects beside it       its sender, for a day
row QUARANTINED                    a whole content and a queued job                ``advance``
row SCANNING                       a whole content, a lease                        ``recover``: QUARANTINED
row CLEARED                        a lease, perhaps copies no download can reach   ``advance``: copied again
row RELEASED, REFUSED, ABANDONED   objects that must go, noted in the row          ``sweep``
row ERASED                         the same                                        ``sweep``
=================================  ==============================================  =======================
"""
