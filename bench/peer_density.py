#!/usr/bin/python3
"""One rival of laminar's at the density of a table, for bench/peers.py: fitted on one thread within a budget of processor seconds to
the rows of a split (train.npy, valid.npy and test.npy of `laminar fit --write-split`). Prints one JSON line.

    peer_density.py SPLIT/ METHOD --seconds S --seed K [--rate R] [--zuko FOLDER] [--scores FILE.npy]
    peer_density.py --self-test [--zuko FOLDER]

METHOD is one of
    spline-autoregressive, spline-coupling, affine-autoregressive
              normalizing flows of zuko (Rozet et al.), which FOLDER holds; AdamW, its rate warmed up and then decayed by a cosine
              that ends with the budget; some thirty validations within the budget, the best weights by validation kept
    mixture   scikit-learn's GaussianMixture, full covariances, components by validation; the search is within the budget
    kernel    scikit-learn's KernelDensity, bandwidth by validation; the search is within the budget
The budget begins when modules and rows are loaded. Scoring the test rows is not within it.
"""
import argparse
import json
import math
import os
import sys
import time

sys.dont_write_bytecode = True  # no __pycache__ in the tree
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__" and os.environ.get("PEER_TORCH_CLEAN") is None:
    os.environ["PEER_TORCH_CLEAN"] = "importing"
    from peer_torch import clean_environment
    os.execve(sys.executable, [sys.executable] + sys.argv, clean_environment(1))

import numpy as np

FLOWS = ("spline-autoregressive", "spline-coupling", "affine-autoregressive")
METHODS = FLOWS + ("mixture", "kernel")
VALIDATIONS = 30
BOUND = 5  # zuko's splines are the identity outside of [-5, 5]
COMPONENTS = (1, 2, 4, 9, 18, 37, 75, 150, 300, 600)
REGULARISATION = (1e-4, 1e-3, 1e-2, 1e-1)  # beside scikit-learn's 1e-6


class OutOfTime(Exception):
    pass


class Clock:
    """Processor seconds of this process since its budget began."""

    def __init__(self, budget):
        self.budget, self.start = budget, time.process_time()

    def seconds(self):
        return time.process_time() - self.start

    def share(self):
        return self.seconds() / self.budget


def batches(rows, size=1000):
    return (rows[i:i + size] for i in range(0, len(rows), size))


# ---- flows -------------------------------------------------------------------------------------------------------------------


def import_zuko(folder):
    if not os.path.isdir(os.path.join(folder or "", "zuko")):
        raise SystemExit(f"peer_density: {folder} does not hold zuko; --zuko names the folder of a checkout of it")
    sys.path.insert(0, folder)
    import zuko
    return zuko


def build_flow(zuko, method, dim):
    """Splines see rows through a soft clip to [-5, 5], x / (1 + |x| / 5): they leave what lies outside as it is, and standardised
    columns with long tails do lie outside."""
    hidden = (128, 128)
    if method == "affine-autoregressive":
        return zuko.flows.MAF(dim, 0, transforms=8, hidden_features=hidden, randperm=True)
    if method == "spline-coupling":  # halves drawn anew for each transform
        flow = zuko.flows.NSF(dim, 0, bins=8, transforms=6, hidden_features=hidden, passes=2, randperm=True)
    else:  # the order of columns turned round from transform to transform
        flow = zuko.flows.NSF(dim, 0, bins=8, transforms=5, hidden_features=hidden)
    clip = zuko.lazy.UnconditionalTransform(zuko.transforms.SoftclipTransform, bound=BOUND)
    return zuko.lazy.Flow([clip, *flow.transform.transforms], flow.base)


class FlowFit:
    """Trains a flow until the clock says that the budget is used up; state is the best by validation."""

    def __init__(self, flow, train, valid, rate, clock):
        import torch
        self.torch, self.flow, self.rate, self.clock = torch, flow, rate, clock
        self.train, self.valid = (torch.tensor(rows, dtype=torch.float32) for rows in (train, valid))
        self.batch = min(512, max(64, len(train) // 8))
        self.optimizer = torch.optim.AdamW(flow.parameters(), lr=rate, weight_decay=1e-5)
        self.iterations = self.skipped = self.validations = 0
        self.best, self.state = math.inf, None
        self.order, self.at = torch.randperm(len(train)), 0

    def log_prob(self, rows):
        with self.torch.no_grad():
            return self.torch.cat([self.flow().log_prob(part) for part in batches(rows)]).double().numpy()

    def next_rows(self):
        if self.at + self.batch > len(self.train):
            self.order, self.at = self.torch.randperm(len(self.train)), 0
        self.at += self.batch
        return self.train[self.order[self.at - self.batch:self.at]]

    def rate_at(self, share):
        warm = min(1, 0.01 + share / 0.02)
        return self.rate * warm * 0.5 * (1 + math.cos(math.pi * min(1, share)))

    def step(self, share):
        """One iteration; one whose gradient is not finite changes nothing."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate_at(share)
        self.optimizer.zero_grad()
        (-self.flow().log_prob(self.next_rows()).mean()).backward()
        norm = self.torch.nn.utils.clip_grad_norm_(self.flow.parameters(), 5.0)
        if self.torch.isfinite(norm):
            self.optimizer.step()
        else:
            self.skipped += 1
        self.iterations += 1

    def validate(self):
        self.validations += 1
        nll = -float(self.log_prob(self.valid).mean())
        if nll < self.best:
            self.best = nll
            self.state = {name: value.clone() for name, value in self.flow.state_dict().items()}

    def run(self):
        share = 0.0
        while share < 1:
            self.step(share)
            share = self.clock.share()
            if share >= min(1, (self.validations + 1) / VALIDATIONS):
                self.validate()
        if self.state is None:
            raise SystemExit("peer_density: no validation came to a finite NLL")
        self.flow.load_state_dict(self.state)


def fit_flow(args, parts):
    import torch
    zuko = import_zuko(args.zuko)
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    clock = Clock(args.seconds)
    fit = FlowFit(build_flow(zuko, args.method, parts["train"].shape[1]), parts["train"], parts["valid"], args.rate, clock)
    fit.run()
    test = torch.tensor(parts["test"], dtype=torch.float32)
    return {"processor_seconds": clock.seconds(), "val_nll": fit.best, "iterations": fit.iterations,
            "parameters": sum(p.numel() for p in fit.flow.parameters() if p.requires_grad), "choice": f"rate {args.rate:g}",
            "skipped": fit.skipped, "versions": {"zuko": zuko.__version__, "torch": torch.__version__}}, \
        lambda: fit.log_prob(test)


# ---- scikit-learn ------------------------------------------------------------------------------------------------------------


def timed_mixture(clock, **settings):
    """A mixture whose EM stops when the budget is used up; the components of its last step are a mixture all the same."""
    from sklearn.mixture import GaussianMixture

    class TimedMixture(GaussianMixture):
        steps = 0

        def _m_step(self, rows, log_resp):
            super()._m_step(rows, log_resp)
            self.steps += 1
            if clock.share() >= 1:
                raise OutOfTime

    return TimedMixture(covariance_type="full", max_iter=200, **settings)


class MixtureSearch:
    """The number of components by validation, doubled until twice in a row it brings nothing; in what is left of the budget another
    way to begin, the covariances' regularisation at the best number and at twice it, and steps in both as long as one is better."""

    def __init__(self, train, valid, seed, clock):
        self.train, self.valid, self.seed, self.clock = train, valid, seed, clock
        self.best, self.model, self.steps, self.complete = math.inf, None, 0, True

    def attempt(self, components, regularisation=1e-6, init="kmeans"):
        """The validation NLL of such a mixture, infinite where EM fails."""
        model = timed_mixture(self.clock, n_components=components, reg_covar=regularisation, init_params=init, random_state=self.seed)
        try:
            model.fit(self.train)
        except ValueError:  # a component collapsed
            return math.inf
        except OutOfTime:
            self.complete = False
        finally:
            self.steps += model.steps
        nll = -float(model.score(self.valid))
        if nll < self.best:
            self.best, self.model = nll, model
        return nll

    def grid(self):
        worse = 0
        for components in COMPONENTS:
            if components > len(self.train) or worse == 2 or (self.clock.share() >= 1 and self.model is not None):
                return
            best = self.best
            worse = worse + 1 if self.attempt(components) >= best else 0

    def try_all(self, candidates):
        """Whether one of (components, regularisation, way to begin) is better than all before."""
        best = self.best
        for components, regularisation, init in candidates:
            if self.clock.share() < 1 and 1 <= components <= min(COMPONENTS[-1], len(self.train)):
                self.attempt(components, regularisation, init)
        return self.best < best

    def refine(self):
        n = self.model.n_components
        self.try_all([(n, 1e-6, "k-means++")] + [(m, r, "kmeans") for r in REGULARISATION for m in (n, 2 * n)])
        better = True
        while better and self.clock.share() < 1:
            n, r, init = self.model.n_components, self.model.reg_covar, self.model.init_params
            around = [(3 * n // 4, r), (n + max(1, n // 4), r), (n, r / 3), (n, 3 * r)]
            better = self.try_all([(m, q, init) for m, q in around])

    def run(self):
        self.grid()
        if self.model is None:
            raise SystemExit("peer_density: no mixture could be fitted")
        self.refine()


def fit_mixture(args, parts):
    clock = Clock(args.seconds)
    search = MixtureSearch(parts["train"], parts["valid"], args.seed, clock)
    search.run()
    model, dim = search.model, parts["train"].shape[1]
    choice = f"{model.n_components} components" + (f", reg_covar {model.reg_covar:g}" if model.reg_covar != 1e-6 else "") \
        + (f", {model.init_params}" if model.init_params != "kmeans" else "") + ("" if search.complete else "; search cut short")
    return {"processor_seconds": clock.seconds(), "val_nll": search.best, "iterations": search.steps, "choice": choice,
            "parameters": model.n_components * (1 + dim + dim * (dim + 1) // 2) - 1, "versions": {}}, \
        lambda: np.concatenate([model.score_samples(part) for part in batches(parts["test"])])


class KernelSearch:
    """The bandwidth by validation: a grid of factors of sqrt 2 around Scott's, then steps half and a quarter as long around the best.
    Of many validation rows a sub-sample chooses; where its scoring takes more than a 25th of the budget, which is what the search has
    for each bandwidth, the density is one of a sub-sample of the training rows."""

    def __init__(self, train, valid, seed, clock):
        self.clock, self.seen, self.random = clock, {}, np.random.default_rng(seed)
        self.train, self.valid = train, self.sample(valid, 500)
        self.scott = len(train) ** (-1 / (train.shape[1] + 4))
        self.fit_size()

    def sample(self, rows, size):
        return rows if len(rows) <= size else rows[np.sort(self.random.choice(len(rows), size, replace=False))]

    def density(self, bandwidth):
        from sklearn.neighbors import KernelDensity
        return KernelDensity(bandwidth=bandwidth, rtol=1e-4).fit(self.train)

    def fit_size(self):
        start = self.clock.seconds()
        self.density(self.scott).score_samples(self.valid[:100])
        whole = (self.clock.seconds() - start) * len(self.valid) / min(100, len(self.valid))
        if whole > self.clock.budget / 25:
            self.train = self.sample(self.train, int(len(self.train) * self.clock.budget / 25 / whole))

    def nll(self, bandwidth):
        if bandwidth not in self.seen and self.clock.share() < 0.9:
            self.seen[bandwidth] = -float(self.density(bandwidth).score_samples(self.valid).mean())
        return self.seen.get(bandwidth, math.inf)

    def best(self):
        return min(self.seen, key=self.seen.get)

    def run(self):
        for power in range(0, 11):
            for bandwidth in {self.scott * 2 ** (power / 2), self.scott * 2 ** (-power / 2)}:
                self.nll(bandwidth)
        for step in (1 / 4, 1 / 8):
            best = self.best()
            self.nll(best * 2 ** step)
            self.nll(best * 2 ** -step)
        return self.best()


def fit_kernel(args, parts):
    clock = Clock(args.seconds)
    search = KernelSearch(parts["train"], parts["valid"], args.seed, clock)
    bandwidth = search.run()
    model, sampled = search.density(bandwidth), len(search.train) < len(parts["train"])

    def score(rows):
        return np.concatenate([model.score_samples(part) for part in batches(rows)])

    val_nll = -float(score(parts["valid"]).mean())
    choice = f"bandwidth {bandwidth:.3g}" + (f" of {len(search.train)} rows" if sampled else "")
    return {"processor_seconds": clock.seconds(), "val_nll": val_nll, "iterations": len(search.seen), "choice": choice,
            "parameters": search.train.size, "versions": {}}, lambda: score(parts["test"])


# ---- one result --------------------------------------------------------------------------------------------------------------


def load_split(folder):
    return {name: np.load(os.path.join(folder, name + ".npy")) for name in ("train", "valid", "test")}


def rows_a_second(score, rows, least=2.0):
    """Test rows scored in a processor second, of as many scorings as take two."""
    start, times = time.process_time(), 0
    while time.process_time() - start < least:
        score()
        times += 1
    return times * rows / (time.process_time() - start)


def measure(args, parts, least=2.0):
    """The figures of one fit, as bench/peers.py keeps them, and log p of the test rows."""
    import sklearn
    fit = fit_flow if args.method in FLOWS else fit_mixture if args.method == "mixture" else fit_kernel
    figures, score = fit(args, parts)
    log_p = score()
    figures.update(test_nll=-float(log_p.mean()), test_se=float(log_p.std(ddof=1) / math.sqrt(len(log_p))),
                   rows_a_second=rows_a_second(score, len(log_p), least))
    figures["versions"].update(numpy=np.__version__)
    if args.method not in FLOWS:
        figures["versions"]["scikit-learn"] = sklearn.__version__
    return figures, log_p


# ---- self-test ---------------------------------------------------------------------------------------------------------------


def toy_split(rows=1200):
    """Rows of two Gaussians, whose density is known."""
    random = np.random.default_rng(3)
    x = random.standard_normal((3 * rows, 2)) * (0.5, 0.25) + np.where(random.random((3 * rows, 1)) < 0.5, -1, 1)
    return {"train": x[:rows], "valid": x[rows:2 * rows], "test": x[2 * rows:]}


def toy_log_prob(x):
    each = [-0.5 * (((x - centre) / (0.5, 0.25)) ** 2).sum(1) - math.log(2 * math.pi * 0.5 * 0.25) for centre in (-1, 1)]
    return np.logaddexp(*each) - math.log(2)


def mass(log_prob):
    """The integral of a density of two columns, by points in [-6, 6]."""
    side = np.linspace(-6, 6, 241)
    grid = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    return float(np.exp(log_prob(grid)).sum() * (side[1] - side[0]) ** 2)


def check_method(method, parts, args, seconds, above):
    """Its test NLL stands above that of the true density by no more than is said, its budget is kept, and it has mass 1."""
    args = argparse.Namespace(method=method, seconds=seconds, seed=1, rate=5e-3, zuko=args.zuko)
    entropy = -toy_log_prob(parts["test"]).mean()
    figures, log_p = measure(args, parts, 0.01)
    total = mass(lambda grid: measure_at(args, parts, grid))
    print(f"{method}: {figures['test_nll'] - entropy:+.3f} nats above the true density, mass {total:.4f}, {figures['choice']}, "
          f"{figures['processor_seconds']:.2f} s of {seconds}, {figures['iterations']} iterations")
    assert -0.02 < figures["test_nll"] - entropy < above, "the NLL is not that of a density fitted to these rows"
    assert abs(total - 1) < 0.02, "the density has not mass 1"
    assert figures["processor_seconds"] < 1.5 * seconds + 1, "the budget is not kept"
    assert abs(figures["test_nll"] + log_p.mean()) < 1e-12 and figures["rows_a_second"] > 0


def measure_at(args, parts, grid):
    """log p of other rows, by the same fit of the same seed."""
    return measure(args, dict(parts, test=grid), 0.01)[1]


def self_test(args):
    parts = toy_split()
    clock = Clock(10.0)
    fit = FlowFit.__new__(FlowFit)
    fit.rate = 2.0
    assert fit.rate_at(0) < 0.03 and abs(fit.rate_at(0.5) - 1) < 1e-12 and fit.rate_at(1) == 0 and fit.rate_at(1.2) == 0
    assert [len(part) for part in batches(np.zeros((2500, 1)))] == [1000, 1000, 500] and clock.share() < 0.1
    check_method("mixture", parts, args, 3, 0.05)
    check_method("kernel", parts, args, 3, 0.15)
    short = MixtureSearch(parts["train"], parts["valid"], 1, Clock(1e-9))
    short.run()  # a first step of EM is kept, however short the budget
    assert short.model.n_components == 1 and math.isfinite(short.best)
    if args.zuko is None:
        print("flows are not tested: --zuko FOLDER names a checkout of zuko")
        return
    for method in FLOWS:
        check_method(method, parts, args, 6, 0.35 if method == "affine-autoregressive" else 0.2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("split", nargs="?")
    parser.add_argument("method", nargs="?", choices=METHODS)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--zuko")
    parser.add_argument("--scores")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test(args)
    if args.method is None or not args.seconds or args.seconds <= 0:
        parser.error("SPLIT/, METHOD and --seconds are needed")
    figures, log_p = measure(args, load_split(args.split))
    if args.scores:
        np.save(args.scores, log_p)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
