// SPDX-License-Identifier: 0BSD
//
// An arm64 Image that tells who it is on the console of QEMU's "virt"
// machine, waits for a byte, and resets. Its name stands at 0x100.
	.globl	_start
_start:	b	start
	.word	0
	.quad	0		// offset from the start of the memory
	.quad	0x1000		// size
	.quad	0xa		// little endian, 4 KiB pages, anywhere
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0
start:	adr	x0, name
	mov	x1, #0x09000000	// PL011
print:	ldrb	w2, [x0], #1
	cbz	w2, wait
full:	ldr	w3, [x1, #0x18]
	tbnz	w3, #5, full
	str	w2, [x1]
	b	print
wait:	ldr	w3, [x1, #0x18]
	tbnz	w3, #4, wait
	ldr	w2, [x1]
	mov	x0, #0x84000000	// PSCI
	add	x0, x0, #9	// SYSTEM_RESET
	hvc	#0
hang:	b	hang
	.org	0x100
name:	.space	0x100
