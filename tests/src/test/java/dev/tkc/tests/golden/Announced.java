package dev.tkc.tests.golden;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An error or warning that a golden file announces at a line, as a part of {@code severity[code]: message}. */
record Announced(int line, String severity, String text) {
  private static final Pattern COMMENT =
      Pattern.compile("//\\s*(error|warning)(@[+-]\\d+)?:\\s*(.*?)\\s*(?=//\\s*(?:error|warning)|$)");

  /** A finding as the command reported it. */
  private record Found(int line, String severity, String text) {}

  static List<Announced> in(String program) {
    List<Announced> all = new ArrayList<>();
    String[] lines = program.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      Matcher m = COMMENT.matcher(lines[i]);
      while (m.find()) {
        int offset = m.group(2) == null ? 0 : Integer.parseInt(m.group(2).substring(1));
        all.add(new Announced(i + 1 + offset, m.group(1), m.group(3)));
      }
    }
    return all;
  }

  /** Demands that each finding was announced and each announced one found. */
  static void compare(List<Announced> announced, String json, String file) throws FileCheck.Failure {
    List<Announced> open = new ArrayList<>(announced);
    StringBuilder wrong = new StringBuilder();
    for (Found found : findings(json)) {
      boolean expected =
          open.stream()
              .filter(a -> a.line() == found.line() && a.severity().equals(found.severity()))
              .filter(a -> found.text().contains(a.text()))
              .findFirst()
              .map(open::remove)
              .orElse(false);
      if (!expected) {
        wrong.append("  not announced: line ").append(found.line()).append(": ").append(found.text()).append('\n');
      }
    }
    for (Announced a : open) {
      wrong.append("  not found: line ").append(a.line()).append(": ").append(a.text()).append('\n');
    }
    if (!wrong.isEmpty()) {
      throw new FileCheck.Failure("the findings differ from those announced in " + file + "\n" + wrong);
    }
  }

  private static List<Found> findings(String json) throws FileCheck.Failure {
    List<Found> all = new ArrayList<>();
    for (String line : json.split("\n")) {
      if (line.startsWith("{\"severity\"")) {
        all.add(finding(line));
      }
    }
    return all;
  }

  private static Found finding(String json) throws FileCheck.Failure {
    String severity = "";
    String code = "";
    String message = "";
    int line = 0;
    try (JsonParser p = new JsonFactory().createParser(json)) {
      p.nextToken();
      while (p.nextToken() == JsonToken.FIELD_NAME) {
        String field = p.currentName();
        p.nextToken();
        switch (field) {
          case "severity" -> severity = p.getText();
          case "code" -> code = p.getText();
          case "message" -> message = p.getText();
          case "labels" -> line = firstLine(p);
          default -> p.skipChildren();
        }
      }
    } catch (IOException e) {
      throw new FileCheck.Failure("not a finding in JSON: " + json);
    }
    return new Found(line, severity, severity + "[" + code + "]: " + message);
  }

  private static int firstLine(JsonParser p) throws IOException {
    int line = 0;
    int depth = 1;
    while (depth > 0) {
      JsonToken token = p.nextToken();
      if (token.isStructStart()) {
        depth++;
      } else if (token.isStructEnd()) {
        depth--;
      } else if (token == JsonToken.FIELD_NAME && p.currentName().equals("line")) {
        int here = p.nextIntValue(0);
        line = line == 0 ? here : line;
      }
    }
    return line;
  }
}
