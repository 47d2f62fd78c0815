/**
 * The command line: one file per command, none of which does anything but turn words into calls of {@code dev.tkc} and
 * answers into text. Nothing here may be needed by a program that embeds tkc.
 */
package dev.tkc.cli;
