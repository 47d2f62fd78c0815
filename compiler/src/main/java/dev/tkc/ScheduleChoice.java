package dev.tkc;

import dev.tkc.grammar.lower.Specialisation;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The schedule of one launch: what was chosen, who chose it, and what else there was.
 *
 * @param constants the kernel's constants as they will be, in order
 * @param schedule the constants and settings that do not come from the caller, as the front end takes them
 * @param settings what a schedule sets besides constants, by name
 * @param settingsFrom where those come from
 * @param candidates what an estimate was made of, best first; empty where none was made
 * @param reason why there was no choice; empty where there was one
 */
public record ScheduleChoice(
    List<Chosen> constants,
    Specialisation.Schedule schedule,
    Map<String, Object> settings,
    Origin settingsFrom,
    List<Candidate> candidates,
    Optional<String> reason) {

  /** Who decided, the first of these that says anything. */
  public enum Origin {
    CALLER("given by the caller"),
    SCHEDULE("from the file's schedule"),
    TUNED("measured by tkc tune"),
    ESTIMATE("the best by estimate"),
    ARGUMENTS("bound by the arguments"),
    KERNEL("the kernel's own value");

    private final String text;

    Origin(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /** A constant, its value, and where that comes from. */
  public record Chosen(String name, Object value, Origin origin) {}

  /**
   * A possible choice of tile sizes.
   *
   * @param settings what is set besides
   * @param cycles the estimate; infinite if it cannot be
   * @param obstacle why it cannot be
   */
  public record Candidate(
      Map<String, Object> constants, Map<String, Object> settings, double cycles, Optional<String> obstacle) {
    public Candidate {
      constants = Map.copyOf(constants);
      settings = Map.copyOf(settings);
    }
  }

  public ScheduleChoice {
    constants = List.copyOf(constants);
    settings = Map.copyOf(settings);
    candidates = List.copyOf(candidates);
  }
}
