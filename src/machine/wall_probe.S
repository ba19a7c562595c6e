/* Stand-ins for generated code, for wall.c: the trap handler knows it by its section. */
    .section eryx_guest_text, "ax", @progbits

/* void wall_probe_load(uint64_t offset) */
    .globl wall_probe_load
    .hidden wall_probe_load
    .type wall_probe_load, @function
wall_probe_load:
    .cfi_startproc
    movb %gs:(%rdi), %al
    retq
    .cfi_endproc
    .size wall_probe_load, . - wall_probe_load

/* void wall_probe_stack(const uint8_t *address) */
    .globl wall_probe_stack
    .hidden wall_probe_stack
    .type wall_probe_stack, @function
wall_probe_stack:
    .cfi_startproc
    movb (%rdi), %al
    retq
    .cfi_endproc
    .size wall_probe_stack, . - wall_probe_stack

/* void wall_probe_loop(uint64_t rounds) */
    .globl wall_probe_loop
    .hidden wall_probe_loop
    .type wall_probe_loop, @function
wall_probe_loop:
    .cfi_startproc
1:  decq %rdi
    jnz 1b
    retq
    .cfi_endproc
    .size wall_probe_loop, . - wall_probe_loop

    .section .note.GNU-stack, "", @progbits
