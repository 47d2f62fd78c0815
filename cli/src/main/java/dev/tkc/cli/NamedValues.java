package dev.tkc.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The values of an option {@code NAME=VALUE}, each name once: picocli would keep the last and say nothing. */
final class NamedValues<K, V> extends LinkedHashMap<K, V> {
  private static final long serialVersionUID = 1;

  private transient Optional<String> repeated = Optional.empty();

  @Override
  public V put(K name, V value) {
    if (containsKey(name)) {
      repeated = repeated.or(() -> Optional.of("as " + name + "=" + get(name) + " and as " + name + "=" + value));
    }
    return super.put(name, value);
  }

  @Override
  public void putAll(Map<? extends K, ? extends V> values) {
    values.forEach(this::put);
  }

  /** Refuses a name that was given twice. */
  void requireDistinct(String option, Command command) {
    repeated.ifPresent(twice -> {
      throw command.usage(option + " gives a name twice, " + twice);
    });
  }
}
