# SPDX-License-Identifier: 0BSD
# QEMU's x86-64 "q35" machine: NVMe disk, xHCI USB.
ARCH := amd64
KERNEL_RECOVERY := linux-image-amd64
KERNEL_SLOT := linux-image-cloud-amd64
MODULES := nvme xhci-pci usb-storage uas sd_mod i6300esb
