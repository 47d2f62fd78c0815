package dev.tkc.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * What all commands share: the terminal and the options for messages. A command's {@code work} answers the exit status.
 */
abstract class Command implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private MessageOptions messages;
  @Spec private CommandSpec spec;

  Command(Terminal terminal) {
    this.terminal = terminal;
  }

  Terminal terminal() {
    return terminal;
  }

  @Override
  public final Integer call() throws Exception {
    return work();
  }

  /** A command line that picocli accepts and that still makes no sense. */
  ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  abstract int work() throws Exception;
}
