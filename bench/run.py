"""./dev bench: Rowcast beside a floor, in one run on one machine. Only the ratios mean something.

  fanout   deliveries of permission-checked events beside a bare epoll program
  collab   updates of rows over REST, told to all who look at the table, beside the same program
  writes   durable creates beside one transaction per create, on SQLite; --store pg: on PostgreSQL too

Rounds alternate between Rowcast and the floor, so that both meet the same machine; medians are printed.
"""
import argparse
import signal
import sys

from collab import collab
from fanout import fanout
from writes import writes

BENCHES = {"fanout": fanout, "collab": collab, "writes": writes}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help=argparse.SUPPRESS)
    parser.add_argument("what", choices=list(BENCHES), nargs="?", default="fanout")
    parser.add_argument("--rounds", type=int, default=3)
    group = parser.add_argument_group("fanout")
    group.add_argument("--subscribers", type=int, default=1000)
    group.add_argument("--events", type=int, default=400, help="of fanout and of collab; ten times as many to saturate")
    group = parser.add_argument_group("collab")
    group.add_argument("--viewers", type=int, default=1000)
    group.add_argument("--writers", type=int, default=50)
    group = parser.add_argument_group("writes")
    group.add_argument("--store", choices=["sqlite", "pg"], default="sqlite", help="pg: both")
    group.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    group.add_argument("--seconds", type=float, default=0.8, help="of each measurement; a fifth of it to warm up comes before")
    group.add_argument("--pipeline", type=int, default=1, help="creates under way on each connection to Rowcast")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):  # what was started is stopped
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    BENCHES[options.what](options.build, options)


if __name__ == "__main__":
    main()
