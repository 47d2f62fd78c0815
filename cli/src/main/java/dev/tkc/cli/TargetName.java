package dev.tkc.cli;

import dev.tkc.Target;
import picocli.CommandLine.ITypeConverter;

/** Reads the name of a target; a wrong one is a mistake in the command line, with the list of those there are. */
final class TargetName implements ITypeConverter<Target> {
  @Override
  public Target convert(String text) {
    return Target.of(text);
  }
}
