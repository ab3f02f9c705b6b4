/* native.h - expressions evaluated without libjq, where they stay inside of a subset of jq.
 *
 * libjq takes 17 ms to compile a program and makes a copy of whatever it touches. The expressions
 * of definitions are small; those of the subset (native_parse.h) are walked as trees over Values,
 * at no cost to begin with and a third of libjq's for a row. Results are those of jq 1.6 to the
 * byte and in its order, oddities included: an error behind `(...)?` is caught by it, `any` counts.
 * Where only libjq knows (letters that fold to ASCII in test(...; "i")), the evaluation says so and
 * the caller turns to libjq.
 *
 * A tree is immutable and may be shared by threads; a Native belongs to one thread.
 */
#pragma once

#include "provider/native_tree.h"

/* One evaluation's surroundings. */
typedef struct {
    Value root;     /* borrowed; what `.` is; VALUE_NONE is null */
    Value settings; /* borrowed; VALUE_NONE is {} */
    double now;     /* seconds */
} NativeInput;

typedef struct {
    size_t count; /* outputs */
    Value first;  /* owned; VALUE_NONE when there are none */
} NativeOutputs;

typedef struct Native Native;

/* The tree is borrowed and must outlive every evaluation. Cheap: what a tree needs is made when it
 * is used. */
Native *native_new(const NativeTree *tree);
void native_free(Native *native);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Native, native_free)

/* Evaluates. The meter's steps go down, from a number that the caller allows; its message is the
 * caller's to free. NATIVE_DONE alone writes *outputs_out. NATIVE_BREAK does not come out. */
NativeStatus native_eval(Native *native, const NativeInput *input, NativeMeter *meter,
                         NativeOutputs *outputs_out);
