package dev.tkc.tests.emulator;

import java.util.List;
import java.util.Map;

/**
 * A decoded kernel.
 *
 * @param parameters in order, with the offset of each in the parameter memory
 * @param slots the length of a warp's register file
 * @param constants slots and the value that all lanes have there
 * @param specials slots and the special register that they hold
 * @param sharedBytes static shared memory; dynamic shared memory follows it
 * @param cluster so many neighbouring blocks run at the same time
 */
record PtxKernel(String name, List<Parameter> parameters, int parameterBytes, Instruction[] code, int slots,
    Map<Integer, Long> constants, Map<Integer, String> specials, int sharedBytes, int localBytes, int cluster) {
  record Parameter(String name, int offset, int bytes) {}
}
