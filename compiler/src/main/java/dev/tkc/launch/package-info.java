/**
 * From a kernel's head and the arguments of one launch to the values of every name: sizes, constants and strides. All
 * that a launch can be refused for before anything runs is decided here.
 */
package dev.tkc.launch;
