# SPDX-License-Identifier: 0BSD
# QEMU's arm64 "virt" machine: Debian's U-Boot, NVMe disk, xHCI USB.
ARCH := arm64
KERNEL_RECOVERY := linux-image-arm64
KERNEL_SLOT := linux-image-cloud-arm64
# What the search needs, then what only the data partition needs.
MODULES := nvme xhci-pci usb-storage uas sd_mod i6300esb ext4
# What initramfs-net.cpio.gz has more, beside a DHCP client.
NETWORK := virtio_pci virtio_net af_packet
