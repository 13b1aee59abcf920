import torch
from torchvision.models import resnet18, mobilenet_v3_small, squeezenet1_1, shufflenet_v2_x0_5
from torchvision.models.vision_transformer import VisionTransformer
from common import *
x=data(torch,2,3,64,64)
for n,mk in (('resnet18',lambda:resnet18(num_classes=5)),('mbv3',lambda:mobilenet_v3_small(num_classes=5)),('squeeze',lambda:squeezenet1_1(num_classes=5)),('shuffle',lambda:shufflenet_v2_x0_5(num_classes=5)),('vit',lambda:VisionTransformer(64,16,2,2,32,64,num_classes=5))):
    m=fill(torch,mk()).eval(); o=m(x); o.pow(2).sum().backward(); show(n,o,sum(g for g in grads(m) if g is not None)/1e4)
from torchvision.ops import box_iou, generalized_box_iou
b=torch.tensor([[0,0,10,10],[5,5,15,15.]]); show('iou',box_iou(b,b),generalized_box_iou(b,b))
