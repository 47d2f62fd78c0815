import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Builds the self-contained archive {@code tkc-VERSION-linux-x86_64.tar.xz}: a trimmed Java runtime, the stripped
 * native libraries, the jars, the kernel library and {@code bin/tkc}. Run by the Maven profile {@code dist} as a
 * single-file program on the JDK that built the rest.
 *
 * <p>Arguments: version, root of the working copy, folder of the jars, folder to work in, and {@code true} to copy the
 * archive to {@code dist-carry/} as well. Needs {@code strip}, {@code tar} and {@code xz} on PATH.
 */
public final class MakeDistribution {
  private static final String PLATFORM = "linux-x86_64";
  private static final long LIMIT = 58_000_000;

  /** What of the native jars is needed, and under which name the loader looks for it. */
  private static final Map<String, Map<String, String>> NATIVES = natives();

  private final String version;
  private final Path root;
  private final Path jars;
  private final Path work;
  private final Path home;

  private MakeDistribution(String version, Path root, Path jars, Path work) {
    this.version = version;
    this.root = root;
    this.jars = jars;
    this.work = work;
    this.home = work.resolve("tkc-" + version + "-" + PLATFORM);
  }

  private static Map<String, Map<String, String>> natives() {
    Map<String, Map<String, String>> result = new LinkedHashMap<>();
    Map<String, String> llvm = new LinkedHashMap<>();
    // The libraries find each other by these versioned names; JavaCPP asks for the plain ones, which are links.
    llvm.put("libLLVM.so", "libLLVM.so.20.1");
    llvm.put("libLTO.so", "libLTO.so.20.1");
    llvm.put("libRemarks.so", "libRemarks.so.20.1");
    llvm.put("libjniLLVM.so", "libjniLLVM.so");
    llvm.put("lld", "lld");
    result.put("llvm-", llvm);
    result.put("javacpp-", Map.of("libjnijavacpp.so", "libjnijavacpp.so"));
    result.put("jcuda-natives-", Map.of("libJCudaDriver-", "", "libJNvPTXCompiler-", ""));
    return result;
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 5) {
      throw new IllegalArgumentException("version root jars work carry");
    }
    Path root = Path.of(args[1]);
    MakeDistribution dist = new MakeDistribution(args[0], root, Path.of(args[2]), Path.of(args[3]));
    dist.needTools();
    deleteTree(dist.home);
    Files.createDirectories(dist.home);
    dist.runtime();
    dist.libraries();
    dist.launcherAndKernels();
    Path archive = dist.pack();
    long size = Files.size(archive);
    System.out.printf("%s: %.1f MB%n", archive, size / 1e6);
    if (size >= LIMIT) {
      throw new IllegalStateException("the archive has " + size + " bytes, the limit is " + LIMIT);
    }
    if (Boolean.parseBoolean(args[4])) {
      Path carry = Files.createDirectories(root.resolve("dist-carry")).resolve(archive.getFileName());
      Files.copy(archive, carry, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private void needTools() {
    Map<String, String> packages = new LinkedHashMap<>();
    packages.put("strip", "binutils");
    packages.put("tar", "tar");
    packages.put("xz", "xz-utils");
    packages.forEach((tool, name) -> {
      boolean found = Stream.of(System.getenv("PATH").split(":"))
          .anyMatch(folder -> Files.isExecutable(Path.of(folder.isEmpty() ? "." : folder, tool)));
      if (!found) {
        throw new IllegalStateException("the distribution needs the program " + tool + ": apt install " + name);
      }
    });
  }

  private void runtime() {
    ToolProvider jlink = ToolProvider.findFirst("jlink").orElseThrow(() -> new IllegalStateException(
        "this Java has no jlink; a full JDK 25 is needed"));
    int result = jlink.run(new PrintWriter(System.out, true), new PrintWriter(System.err, true),
        "--add-modules", "java.base,java.logging,java.naming,jdk.unsupported", "--strip-debug", "--no-header-files",
        "--no-man-pages", "--compress", "zip-0", "--vm", "server", "--output", home.resolve("runtime").toString());
    if (result != 0) {
      throw new IllegalStateException("jlink failed: " + result);
    }
  }

  private void libraries() throws IOException, InterruptedException {
    Path lib = Files.createDirectories(home.resolve("lib"));
    Path nativeFolder = Files.createDirectories(home.resolve("native"));
    for (Path jar : list(jars)) {
      String name = jar.getFileName().toString();
      if (name.endsWith("-" + PLATFORM + ".jar")) {
        for (Map.Entry<String, Map<String, String>> entry : NATIVES.entrySet()) {
          if (name.startsWith(entry.getKey())) {
            unpackNatives(jar, entry.getValue(), nativeFolder);
          }
        }
      } else {
        storeUncompressed(jar, lib.resolve(name));
      }
    }
    List<String> strip = new ArrayList<>(List.of("strip", "--strip-unneeded"));
    list(nativeFolder).forEach(file -> strip.add(file.toString()));
    // The launchers and the virtual machine come with symbol tables too.
    try (Stream<Path> files = Files.walk(home.resolve("runtime/lib"))) {
      files.filter(f -> f.toString().endsWith(".so")).sorted().forEach(file -> strip.add(file.toString()));
    }
    run(home, strip);
    // Nothing is ever thrown through LLVM, which is built without exceptions, so its tables for that are dead weight.
    run(nativeFolder,
        List.of("strip", "--remove-section=.eh_frame", "--remove-section=.eh_frame_hdr", "libLLVM.so.20.1"));
    for (String name : List.of("libLLVM.so", "libLTO.so", "libRemarks.so")) {
      Files.createSymbolicLink(nativeFolder.resolve(name), Path.of(name + ".20.1"));
    }
  }

  /** The same jar without compression of its own, so that xz finds what the class files have in common. */
  private static void storeUncompressed(Path from, Path to) throws IOException {
    try (ZipFile in = new ZipFile(from.toFile());
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(to))) {
      out.setMethod(ZipOutputStream.STORED);
      for (ZipEntry entry : java.util.Collections.list(in.entries())) {
        byte[] bytes = in.getInputStream(entry).readAllBytes();
        CRC32 crc = new CRC32();
        crc.update(bytes);
        ZipEntry stored = new ZipEntry(entry.getName());
        stored.setTime(entry.getTime());
        stored.setSize(bytes.length);
        stored.setCrc(crc.getValue());
        out.putNextEntry(stored);
        out.write(bytes);
        out.closeEntry();
      }
    }
  }

  /** {@code wanted}: beginning of the file's name in the jar, and its name here (empty: the same). */
  private static void unpackNatives(Path jar, Map<String, String> wanted, Path target) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : java.util.Collections.list(zip.entries())) {
        String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
        for (Map.Entry<String, String> want : wanted.entrySet()) {
          boolean match = want.getValue().isEmpty() ? name.startsWith(want.getKey()) : name.equals(want.getKey());
          if (match && !entry.isDirectory()) {
            Path file = target.resolve(want.getValue().isEmpty() ? name : want.getValue());
            try (InputStream in = zip.getInputStream(entry)) {
              Files.copy(in, file);
            }
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
          }
        }
      }
    }
  }

  private void launcherAndKernels() throws IOException {
    Path bin = Files.createDirectories(home.resolve("bin")).resolve("tkc");
    Files.writeString(bin, Files.readString(root.resolve("cli/src/dist/bin/tkc")).replace("@VERSION@", version));
    Files.setPosixFilePermissions(bin, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path kernels = root.resolve("kernels");
    if (Files.isDirectory(kernels)) {
      copyTree(kernels, home.resolve("kernels"));
    }
    Files.copy(root.resolve("README.md"), home.resolve("README.md"));
  }

  private Path pack() throws IOException, InterruptedException {
    Path archive = work.resolve(home.getFileName() + ".tar.xz");
    Files.deleteIfExists(archive);
    // The filter for x86 code and a window over half the archive are worth 2 MB; unpacking needs as much memory.
    run(work, List.of("tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-I",
        "xz -T1 --x86 --lzma2=preset=9,dict=128MiB", "-cf",
        archive.toString(), home.getFileName().toString()));
    return archive;
  }

  private static void run(Path folder, List<String> command) throws IOException, InterruptedException {
    int result = new ProcessBuilder(command).directory(folder.toFile()).inheritIO().start().waitFor();
    if (result != 0) {
      throw new IllegalStateException(command.get(0) + " failed: " + result);
    }
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path p : all.toList()) {
        Path target = to.resolve(from.relativize(p).toString());
        if (Files.isDirectory(p)) {
          Files.createDirectories(target);
        } else {
          Files.copy(p, target);
        }
      }
    }
  }

  private static void deleteTree(Path tree) throws IOException {
    if (!Files.exists(tree)) {
      return;
    }
    Files.walkFileTree(tree, new SimpleFileVisitor<>() {
      @Override
      public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
        Files.delete(file);
        return FileVisitResult.CONTINUE;
      }

      @Override
      public FileVisitResult postVisitDirectory(Path folder, IOException e) throws IOException {
        Files.delete(folder);
        return FileVisitResult.CONTINUE;
      }
    });
  }
}
