#!/usr/bin/python3
"""Seconds to the same validation NLL on power_month: PyTorch by the published algorithm with the penalty, and laminar with its
defaults and the penalty on all processors. Both start from the same weights and see the same rows; both are scored by the
exact trace of `laminar score`. The target is the peer's best NLL within its budget.

    same_nll.py --laminar build/laminar --work FOLDER/ --json FILE [--budget 900] [--data ../shared/data]

Goes on where it was stopped: FOLDER/ keeps the split, both runs and their logs. Seconds are of training steps, without
validation and saving. The peer takes the number of threads that is faster, measured before.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DATA_KEYS = ("drop", "drop-bad-rows", "noise", "test-fraction", "val-fraction")
ARCH_KEYS = ("dims", "blocks", "layer", "nonlinearity", "test-atol", "test-rtol")


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"same_nll: this failed: {' '.join(command)}")
    return done.stdout


def read_lines(path):
    """The lines of a log; one cut short by a kill is passed over."""
    lines = []
    for text in open(path) if os.path.exists(path) else []:
        try:
            lines.append(json.loads(text))
        except ValueError:
            pass
    return lines


def prepare(args):
    """The split, the settings without those of the data, the initial weights."""
    config = os.path.join(HERE, "..", "examples", "power.yaml")
    net, arch, rows = (os.path.join(args.work, name) for name in ("net.yaml", "arch.yaml", "rows"))
    lines = [line for line in open(config) if ":" in line and not line.startswith("#")]
    with open(net, "w") as stream:
        stream.writelines(line for line in lines if line.split(":")[0] not in DATA_KEYS)
        stream.write("standardise: false\ntpr: true\n")
    with open(arch, "w") as stream:
        stream.writelines(line for line in lines if line.split(":")[0] in ARCH_KEYS)
    if not os.path.exists(os.path.join(rows, "test.npy")):
        file = os.path.join(args.data, "power_month", "household_power_consumption.txt")
        run([args.laminar, "fit", file, "--config", config, "--quiet", "--write-split", rows])
    problem = os.path.join(args.work, "power.safetensors")
    if not os.path.exists(problem):
        run([args.laminar, "bench", "--shape", "power", "--batch-size", "1000", "--problems", args.work])
    return net, arch, rows, problem


def threads_of_peer(args, problem):
    """The faster number of threads for the peer, and the seconds of an iteration with each."""
    path = os.path.join(args.work, "threads.jsonl")
    if not os.path.exists(path):
        counts = ",".join(dict.fromkeys(("1", str(os.cpu_count()))))
        text = run([sys.executable, os.path.join(HERE, "peer_torch.py"), problem, "--form", "published", "--threads", counts])
        with open(path, "w") as stream:
            stream.write(text)
    seconds = {line["threads"]: line["seconds"] for line in read_lines(path)}
    return min(seconds, key=seconds.get), seconds


def train_peer(args, problem, arch, rows):
    """The peer's weights, scored."""
    folder = os.path.join(args.work, "peer")
    threads, tried = threads_of_peer(args, problem)
    run([sys.executable, os.path.join(HERE, "peer_train.py"), problem, os.path.join(rows, "train.npy"), "--out", folder,
         "--budget", str(args.budget), "--save-seconds", str(args.budget / 30), "--threads", str(threads)])
    scored = {line["iteration"]: line["nll"] for line in read_lines(os.path.join(args.work, "scores.jsonl"))}
    points = read_lines(os.path.join(folder, "log.jsonl"))
    for point in points:
        if point["iteration"] not in scored:
            each = os.path.join(args.work, "logp.csv")
            run([args.laminar, "score", os.path.join(folder, point["weights"]), os.path.join(rows, "valid.npy"),
                 "--config", arch, "--units", "standardised", "-o", each])
            with open(each) as stream:
                logp = [float(line) for line in stream if line[0] in "-0123456789"]
            nll = scored[point["iteration"]] = -sum(logp) / len(logp)
            with open(os.path.join(args.work, "scores.jsonl"), "a") as stream:
                stream.write(json.dumps({"iteration": point["iteration"], "nll": nll}) + "\n")
        point["nll"] = scored[point["iteration"]]
    return {"points": points, "threads": threads, "seconds_an_iteration": tried}


def validations(folder):
    return [line for line in read_lines(os.path.join(folder, "metrics.jsonl")) if line["type"] == "validation"]


def train_ours(args, net, rows, target):
    """Fits until a validation is at the target, or the run ends by itself."""
    folder = os.path.join(args.work, "laminar")
    if not any(line["val_nll"] <= target for line in validations(folder)):
        fit = subprocess.Popen([args.laminar, "fit", os.path.join(rows, "train.npy"), "--valid", os.path.join(rows, "valid.npy"),
                                "--test", os.path.join(rows, "test.npy"), "--config", net, "--val-freq", "10", "--iterations",
                                "100000", "--early-stopping", "100000", "--quiet", "--resume", "--out", folder],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while fit.poll() is None and not any(line["val_nll"] <= target for line in validations(folder)):
                time.sleep(0.5)
        finally:
            if fit.poll() is None:
                fit.send_signal(signal.SIGTERM)  # it saves and ends
            fit.wait()
    keys = {"iteration": "iteration", "train_seconds": "seconds", "train_cpu_seconds": "cpu_seconds", "val_nll": "nll"}
    return {"points": [{new: line[old] for old, new in keys.items()} for line in validations(folder)], "threads": os.cpu_count()}


def reached(points, target):
    return next((p for p in points if p["nll"] <= target), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", required=True, metavar="PROGRAM")
    parser.add_argument("--work", required=True, metavar="FOLDER/")
    parser.add_argument("--json", required=True, metavar="FILE")
    parser.add_argument("--budget", type=float, default=900, help="seconds of the peer's training steps; default 900")
    parser.add_argument("--data", default="../shared/data", metavar="FOLDER/")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    load = os.getloadavg()[0]
    net, arch, rows, problem = prepare(args)
    peer = train_peer(args, problem, arch, rows)
    target = min(p["nll"] for p in peer["points"])
    ours = train_ours(args, net, rows, target)
    first = {"peer": reached(peer["points"], target), "laminar": reached(ours["points"], target)}
    if first["laminar"] is None:
        print(f"same_nll: laminar has not reached {target}; start this again", file=sys.stderr)
        return 1
    result = {"command": f"bench/same_nll.py --budget {args.budget:g}", "version": run([args.laminar, "--version"]).strip(),
              "date": time.strftime("%F", time.gmtime()),
              "load": [load, os.getloadavg()[0]], "budget": args.budget, "target_nll": target, "reached": first,
              "peer": peer, "laminar": ours}
    with open(args.json + ".new", "w") as stream:
        json.dump(result, stream, indent=1)
    os.replace(args.json + ".new", args.json)
    print(f"validation NLL {target:.4f}: PyTorch {first['peer']['seconds']:.1f} s, laminar {first['laminar']['seconds']:.1f} s, "
          f"{first['peer']['seconds'] / first['laminar']['seconds']:.1f} times")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
