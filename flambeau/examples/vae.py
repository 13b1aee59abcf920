"""A variational autoencoder that learns to write digits, and leaves a picture of those it made up.

    python -m flambeau.examples.vae

Two numbers say which digit and how it is written; vae.png shows, from top to bottom, test images
and their reconstructions, then what lies at every place of the plane of the two numbers. (Kingma
and Welling, "Auto-encoding variational Bayes", 2014.) With `import torch` in place of
`import flambeau as torch`, PyTorch runs it too.
"""
from __future__ import annotations

import sys
from collections.abc import Sequence

import flambeau as torch
from flambeau.examples import datasets, pictures, telling

nn = torch.nn
F = nn.functional


class Autoencoder(nn.Module):
    """64 pixels -> the mean and log variance of `latent` numbers -> 64 logits of pixels."""

    def __init__(self, latent: int = 2, hidden: int = 256) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.SiLU(), nn.Linear(hidden, hidden),
                                     nn.SiLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.SiLU(),
                                     nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 64))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(latent), mean, log_variance


def loss_of(model: Autoencoder, images: torch.Tensor) -> torch.Tensor:
    """The negative evidence lower bound of a batch (n, 64), for each image."""
    logits, mean, log_variance = model(images)
    unlike = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    far = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    return (unlike + far) / len(images)


def train(model: Autoencoder, images: torch.Tensor, steps: int, size: int = 128) -> float:
    """Adam over random batches; the loss at the end."""
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    progress = telling.Progress(steps)
    for step in range(1, steps + 1):
        chosen = torch.randint(0, len(images), (size,))
        loss = loss_of(model, images[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        if progress.wants(step):
            progress.tell(step, loss.item())
    return progress.values[-1]


def plane(model: Autoencoder, count: int = 16) -> torch.Tensor:
    """The images at count x count places: equal steps in probability under N(0, 1)."""
    chances = torch.linspace(0.02, 0.98, count)
    places = torch.distributions.Normal(0.0, 1.0).icdf(chances)
    rows, columns = torch.meshgrid(places.flip(0), places, indexing="ij")
    latent = torch.stack([columns.flatten(), rows.flatten()], dim=1)
    return model.decoder(latent).sigmoid().reshape(-1, 8, 8)


def main(arguments: Sequence[str] | None = None) -> int:
    options = telling.parse(telling.parser("vae", "Learn to write digits.", 3000), arguments)
    telling.heading(torch.__name__, torch.__version__, "learns to write digits")
    torch.manual_seed(options.seed)
    training, test = datasets.split_digits(options.seed)
    model = Autoencoder()
    loss = train(model, torch.from_numpy(training.images).flatten(1), options.steps)
    shown = torch.from_numpy(test.images[:16])
    with torch.no_grad():
        held_out = loss_of(model, torch.from_numpy(test.images).flatten(1)).item()
        again = model(shown.flatten(1))[0].sigmoid().reshape(-1, 8, 8)
        made = plane(model)
    blocks = [pictures.grid([pictures.ink(image, 4) for image in images.numpy()], 16, gap=2)
              for images in (shown, again, made)]
    path = options.out / "vae.png"
    pictures.save(path, pictures.stack(blocks))
    torch.save(model.state_dict(), options.out / "vae.pt")
    telling.facts({"loss": f"{loss:.2f} nats an image, {held_out:.2f} on images not seen",
                   "picture": f"{path} (images, their reconstructions, the plane of new ones)",
                   "weights": str(options.out / "vae.pt")})
    return 0


if __name__ == "__main__":
    sys.exit(main())
