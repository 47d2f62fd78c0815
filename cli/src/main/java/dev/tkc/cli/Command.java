package dev.tkc.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** What all commands share: the terminal and the options for messages. A command's {@code work} answers the exit status. */
abstract class Command implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private MessageOptions messages;

  Command(Terminal terminal) {
    this.terminal = terminal;
  }

  Terminal terminal() {
    return terminal;
  }

  @Override
  public final Integer call() throws Exception {
    messages.apply(terminal);
    return work();
  }

  abstract int work() throws Exception;
}
