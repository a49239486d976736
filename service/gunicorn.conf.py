"""gunicorn's settings. The address is given on the command line."""

import ctypes

# Parts of an upload come and go. Left to itself glibc learns from the first one to keep such buffers, in the
# arena of every thread, and one file of 1 GiB grows a worker by 40 MiB; with a fixed M_MMAP_THRESHOLD
# (mallopt(3)) they are given back at once. Other C libraries have no such call.
_mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
if _mallopt is not None:
    _mallopt(-3, 1024 * 1024)

# Threads, not processes, carry the slow senders; more processes carry the work.
worker_class = "service.web.connections.Worker"
workers = 2
threads = 64
# Each is a descriptor, of which many systems give a process 1024, and store, scanner and ledger need some.
worker_connections = 600
# A worker's heartbeat comes from its main thread, so long uploads do not count against this.
timeout = 60
graceful_timeout = 30
keepalive = 5
# Each worker builds its own connections, and nothing listens but the web port.
preload_app = False
control_socket_disable = True
accesslog = None
errorlog = "-"
