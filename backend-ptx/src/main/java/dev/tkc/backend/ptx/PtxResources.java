package dev.tkc.backend.ptx;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one kernel takes of a multiprocessor, as the assembler's verbose report states it. {@code sharedBytes} is the
 * static part; a launch adds what it asks for. {@code barriers} is 0 where the assembler does not say (12.0 does not).
 */
public record PtxResources(
    String kernel, int registers, int stackBytes, int spillStoreBytes, int spillLoadBytes, int sharedBytes,
    int constantBytes, int barriers) {
  private static final Pattern ENTRY = Pattern.compile("Compiling entry function '([^']+)'");
  private static final Pattern FRAME = Pattern.compile(
      "(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
  private static final Pattern WARNING = Pattern.compile("\\(C75\\d\\d\\)|\\bwarning\\b");

  public boolean hasSpills() {
    return spillStoreBytes > 0 || spillLoadBytes > 0;
  }

  /** Reads the report of {@code ptxas -v}; one record per kernel, in its order. */
  static List<PtxResources> parse(String log) {
    List<PtxResources> result = new ArrayList<>();
    String kernel = null;
    int[] frame = new int[3];
    for (String line : log.lines().toList()) {
      Matcher entry = ENTRY.matcher(line);
      Matcher stack = FRAME.matcher(line);
      if (entry.find()) {
        kernel = entry.group(1);
        frame = new int[3];
      } else if (stack.find()) {
        for (int i = 0; i < 3; i++) {
          frame[i] = Integer.parseInt(stack.group(i + 1));
        }
      } else if (kernel != null && line.contains("Used ") && line.contains(" registers")) {
        result.add(new PtxResources(kernel, number(line, "Used (\\d+) registers"), frame[0], frame[1], frame[2],
            number(line, "(\\d+) bytes smem"), number(line, "(\\d+) bytes cmem\\[0\\]"),
            number(line, "used (\\d+) barriers")));
        kernel = null;
      }
    }
    return List.copyOf(result);
  }

  /** Lines that say the code is worse than it should be: the C75xx series and everything called a warning. */
  static List<String> warnings(String log) {
    return log.lines().filter(line -> WARNING.matcher(line).find()).map(String::strip).toList();
  }

  private static int number(String line, String pattern) {
    Matcher m = Pattern.compile(pattern).matcher(line);
    return m.find() ? Integer.parseInt(m.group(1)) : 0;
  }
}
