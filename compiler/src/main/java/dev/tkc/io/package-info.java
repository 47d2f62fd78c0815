/**
 * Array files: numpy's {@code .npy} and Hugging Face's safetensors, read without copying where the file's layout
 * allows.
 *
 * <p>Whatever a file holds, the answer is a tensor or a coded diagnostic; nothing here throws anything else at a
 * caller.
 */
package dev.tkc.io;
