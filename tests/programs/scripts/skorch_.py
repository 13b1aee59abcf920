import numpy as np
import torch
from common import fill, report
from skorch import NeuralNetClassifier, NeuralNetRegressor


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(6, 12), torch.nn.ReLU(),
                                          torch.nn.Linear(12, 3))
        fill(self)

    def forward(self, x):
        return torch.softmax(self.layers(x), -1)


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(6, 1)
        fill(self)

    def forward(self, x):
        return self.layer(x)


rng = np.random.RandomState(0)
x = rng.randn(60, 6).astype("float32")
y = (x @ rng.randn(6, 3)).argmax(1).astype("int64")
net = NeuralNetClassifier(Net, max_epochs=4, lr=0.1, batch_size=20, train_split=None, verbose=0,
                          iterator_train__shuffle=False)
net.fit(x, y)
line = NeuralNetRegressor(Line, max_epochs=3, lr=0.05, batch_size=20, verbose=0)
line.fit(x, x[:, :1] * 2)
report(losses=net.history[:, "train_loss"], proba=net.predict_proba(x[:3]).ravel().tolist(),
       score=float(net.score(x, y)), line=line.history[:, "valid_loss"],
       predicted=line.predict(x[:3]).ravel().tolist())
