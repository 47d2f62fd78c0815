package dev.tkc.backend.llvm;

import dev.tkc.backend.llvm.LlvmMetadata.Node;

/**
 * Line tables, nothing more: a compile unit that emits directives only, so that PTX gets {@code .loc} lines (and the
 * assembler's reports and the profilers name {@code .tk} lines) without a debug section changing the code.
 */
public final class LlvmDebug {
  private final LlvmMetadata metadata;
  private final Node unit;
  private final Node subroutine;
  private final String mainFile;

  LlvmDebug(LlvmMetadata metadata, String mainFile) {
    this.metadata = metadata;
    this.mainFile = mainFile;
    this.subroutine = metadata.raw("!DISubroutineType(types: " + metadata.node().text() + ")");
    this.unit = metadata.raw("distinct !DICompileUnit(language: DW_LANG_C, file: " + file(mainFile).text()
        + ", producer: \"tkc\", isOptimized: true, runtimeVersion: 0, emissionKind: DebugDirectivesOnly)");
    metadata.append("llvm.dbg.cu", unit);
    metadata.setFlag(2, "Debug Info Version", 3);
  }

  private Node file(String path) {
    return metadata.raw("!DIFile(filename: \"" + LlvmModule.escape(path) + "\", directory: \"\")");
  }

  Node subprogram(String function, int line) {
    return metadata.raw("distinct !DISubprogram(name: \"" + LlvmModule.escape(function) + "\", file: "
        + file(mainFile).text() + ", line: " + line + ", type: " + subroutine.text()
        + ", spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: " + unit.text() + ")");
  }

  /** A place inside {@code subprogram}; code that came from another file by inlining keeps that file's name. */
  Node location(Node subprogram, String path, int line, int column) {
    Node scope = path.equals(mainFile)
        ? subprogram
        : metadata.raw("!DILexicalBlockFile(scope: " + subprogram.text() + ", file: " + file(path).text()
            + ", discriminator: 0)");
    return metadata.raw("!DILocation(line: " + line + ", column: " + column + ", scope: " + scope.text() + ")");
  }
}
