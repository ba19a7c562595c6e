/*
 * Switching stacks on x86-64 (System V ABI): what a function must keep goes on the old stack, the stack
 * pointer is exchanged, and the same is taken off the new one.
 */
    .text

/* void coroutine_switch(void **out_saved_sp, void *next_sp) */
    .globl coroutine_switch
    .hidden coroutine_switch
    .type coroutine_switch, @function
coroutine_switch:
    .cfi_startproc
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    jmp coroutine_restore
    .cfi_endproc
    .size coroutine_switch, . - coroutine_switch

/* The stack pointer is one that coroutine_switch saved. The signal handler continues here as well. */
    .globl coroutine_restore
    .hidden coroutine_restore
    .type coroutine_restore, @function
coroutine_restore:
    .cfi_startproc
    .cfi_undefined rip
    cld
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    retq
    .cfi_endproc
    .size coroutine_restore, . - coroutine_restore

/* First return address of a new stack: r12 is the function, r13 its argument. */
    .globl coroutine_first_entry
    .hidden coroutine_first_entry
    .type coroutine_first_entry, @function
coroutine_first_entry:
    .cfi_startproc
    .cfi_undefined rip
    xorl %ebp, %ebp
    movq %r13, %rdi
    callq *%r12
    ud2
    .cfi_endproc
    .size coroutine_first_entry, . - coroutine_first_entry

/*
 * Where generated code goes on when a signal has met it (alarm.c), or when its ticks are used up (GUEST_CHARGE): on top
 * of the stack is the address to come back to, above it 128 bytes of red zone. Calls alarm_interrupted()
 * with all registers, the flags and the vector registers put away, and goes back as if nothing had been.
 */
    .equ VECTOR_BYTES, 2816     /* up to AVX-512 in XSAVE's standard format: 2,696 */
    .equ LEGACY_BYTES, 512      /* FXSAVE; XSAVE's header follows it */

    .globl guest_interrupted
    .hidden guest_interrupted
    .type guest_interrupted, @function
guest_interrupted:
    .cfi_startproc
    pushfq
    cld
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rbp
    .cfi_def_cfa %rbp, 136
    subq $VECTOR_BYTES, %rsp
    andq $-64, %rsp
    movl guest_vector_parts(%rip), %eax
    testl %eax, %eax
    jz 1f
    xorl %edx, %edx
    movq %rdx, LEGACY_BYTES(%rsp)
    movq %rdx, LEGACY_BYTES+8(%rsp)
    movq %rdx, LEGACY_BYTES+16(%rsp)
    movq %rdx, LEGACY_BYTES+24(%rsp)
    movq %rdx, LEGACY_BYTES+32(%rsp)
    movq %rdx, LEGACY_BYTES+40(%rsp)
    movq %rdx, LEGACY_BYTES+48(%rsp)
    movq %rdx, LEGACY_BYTES+56(%rsp)
    xsave64 (%rsp)
    callq alarm_interrupted
    movl guest_vector_parts(%rip), %eax
    xorl %edx, %edx
    xrstor64 (%rsp)
    jmp 2f
1:  fxsave64 (%rsp)
    callq alarm_interrupted
    fxrstor64 (%rsp)
2:  movq %rbp, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    popfq
    .cfi_def_cfa %rsp, 8
    retq $128
    .cfi_endproc
    .size guest_interrupted, . - guest_interrupted

    .section .note.GNU-stack, "", @progbits
