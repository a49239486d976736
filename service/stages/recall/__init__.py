"""Recall: what was clean yesterday and is known to be bad today is called back.

``rescan`` scans released files again, one after another; ``call_back`` withdraws one in which something was
found. What a crash leaves behind, and who mends it:

=================================  ==============================================  =======================
crash after                        leaves                                          mended by
=================================  ==============================================  =======================
a file was taken                   a row that nobody else gets for some minutes    ``scan_next``: taken again
row BLOCKED or HELD                its content in released, where no download      ``sweep``: brought back
                                   reaches it; the file still to be finished       ``scan_next``: counted
content in quarantine again        copies in released, noted in the row            ``sweep``
=================================  ==============================================  =======================
"""
