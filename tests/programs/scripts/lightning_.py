import logging
import tempfile
import warnings

import torch
from common import data, fill, report, some

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
import lightning as L  # noqa: E402


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(),
                                          torch.nn.Linear(16, 1))
        self.losses = []

    def training_step(self, batch, index):
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.layers(x), y)
        self.log("train_loss", loss)
        self.losses.append(loss.item())
        return loss

    def validation_step(self, batch, index):
        x, y = batch
        self.log("val_loss", torch.nn.functional.mse_loss(self.layers(x), y))

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=1e-2)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.9)]


x, y = data(64, 8), data(64, 1, seed=2)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=16)
net = fill(Net())
with tempfile.TemporaryDirectory() as folder:
    trainer = L.Trainer(max_epochs=3, accelerator="cpu", logger=False, enable_progress_bar=False,
                        enable_model_summary=False, default_root_dir=folder,
                        enable_checkpointing=False, gradient_clip_val=1.0)
    trainer.fit(net, loader, loader)
    path = folder + "/net.ckpt"
    trainer.save_checkpoint(path)
    again = Net.load_from_checkpoint(path)
report(losses=net.losses, val=float(trainer.callback_metrics["val_loss"]),
       weight=some(again.layers[0].weight), step=trainer.global_step)
