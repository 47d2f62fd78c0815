/**
 * AMD GPUs: the instructions of AMDGCN as tables, objects linked to code objects, and code objects read back for their
 * resource figures. Nothing here claims that a kernel ran: that needs hardware or the simulator.
 */
package dev.tkc.backend.amdgcn;
