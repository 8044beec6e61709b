"""Run by :mod:`webapp.public.signatures`, alone in its process: one PDF in, what its signature says out."""

import base64
import json
import resource
import sys


def main() -> None:
    request = json.loads(sys.stdin.buffer.readline())
    resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (request["seconds"], request["seconds"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    from workflows.documents.signing import verify

    check = verify(sys.stdin.buffer.read(), [base64.b64decode(one) for one in request["trusted"]])
    told = {name: getattr(check, name) for name in ("signed", "intact", "complete", "trusted")}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
