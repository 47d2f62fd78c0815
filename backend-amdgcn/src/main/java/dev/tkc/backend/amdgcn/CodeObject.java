package dev.tkc.backend.amdgcn;

import dev.tkc.backend.llvm.LlvmTarget;
import dev.tkc.backend.llvm.LlvmToolchain;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An AMD code object read back: which kernels it holds, what each takes of the hardware, and its instructions. Reads
 * linked ELF files of 64 bits, little-endian, as LLVM writes them (code object version 5); anything else is refused
 * with {@link IllegalArgumentException}.
 */
public final class CodeObject {
  /**
   * One kernel argument: where it lies and what kind it is ({@code global_buffer}, {@code by_value}, {@code hidden_…}).
   */
  public record Argument(String name, int offset, int size, String kind) {}

  /**
   * What one kernel takes, from the metadata note; registers are per lane, and {@code vgprs} includes the
   * {@code agprs}.
   */
  public record Kernel(
      String name, int vgprs, int agprs, int sgprs, int vgprSpills, int sgprSpills, int ldsBytes, int scratchBytes,
      int kernargBytes, int waveSize, int maxWorkGroupSize, List<Argument> arguments, Descriptor descriptor) {
    public boolean hasSpills() {
      return vgprSpills > 0 || sgprSpills > 0;
    }
  }

  /** The 64 bytes the hardware's packet processor reads; {@code entry} is the code's offset from the descriptor. */
  public record Descriptor(int ldsBytes, int scratchBytes, int kernargBytes, long entry, int rsrc1, int rsrc2,
      int rsrc3) {}

  private record Section(String name, int type, long address, int offset, int size, int link) {}

  private record Symbol(String name, long value, long size) {}

  private static final int SHT_NOTE = 7;
  private static final int SHT_DYNSYM = 11;
  private static final int NT_AMDGPU_METADATA = 32;

  private final ByteBuffer image;
  private final List<Section> sections;
  private final Map<String, Symbol> symbols = new LinkedHashMap<>();
  private final List<Kernel> kernels = new ArrayList<>();

  private CodeObject(byte[] bytes) {
    image = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < 64 || image.getInt(0) != 0x464C457F || image.get(4) != 2 || image.get(5) != 1) {
      throw new IllegalArgumentException("not a little-endian ELF file of 64 bits");
    }
    sections = readSections();
    sections.stream().filter(s -> s.type == SHT_DYNSYM).forEach(this::readSymbols);
    sections.stream().filter(s -> s.type == SHT_NOTE).forEach(this::readNotes);
  }

  public static CodeObject read(byte[] bytes) {
    try {
      return new CodeObject(bytes);
    } catch (IndexOutOfBoundsException e) {
      throw new IllegalArgumentException("the ELF file ends early", e);
    }
  }

  public List<Kernel> kernels() {
    return List.copyOf(kernels);
  }

  public Kernel kernel(String name) {
    return kernels.stream().filter(k -> k.name.equals(name)).findFirst()
        .orElseThrow(() -> new IllegalArgumentException("the code object has no kernel " + name));
  }

  /** The machine code of one kernel. */
  public byte[] code(String kernel) {
    Symbol symbol = symbol(kernel);
    byte[] code = new byte[Math.toIntExact(symbol.size)];
    image.get(fileOffset(symbol.value), code);
    return code;
  }

  public List<LlvmToolchain.Decoded> disassemble(String kernel, LlvmTarget target) {
    return LlvmToolchain.instance().disassemble(code(kernel), target);
  }

  /** How many instructions of the kernel start with this mnemonic prefix: {@code v_mfma}, {@code ds_read_b128}. */
  public long count(String kernel, LlvmTarget target, String mnemonic) {
    return disassemble(kernel, target).stream().filter(d -> d.text().startsWith(mnemonic)).count();
  }

  private List<Section> readSections() {
    int table = Math.toIntExact(image.getLong(40));
    int entrySize = image.getShort(58);
    int count = image.getShort(60);
    int names = image.getShort(62);
    int nameTable = Math.toIntExact(image.getLong(table + names * entrySize + 24));
    List<Section> result = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int at = table + i * entrySize;
      result.add(new Section(string(nameTable + image.getInt(at)), image.getInt(at + 4), image.getLong(at + 16),
          Math.toIntExact(image.getLong(at + 24)), Math.toIntExact(image.getLong(at + 32)), image.getInt(at + 40)));
    }
    return result;
  }

  private void readSymbols(Section table) {
    int names = sections.get(table.link).offset;
    for (int at = table.offset; at < table.offset + table.size; at += 24) {
      Symbol symbol = new Symbol(string(names + image.getInt(at)), image.getLong(at + 8), image.getLong(at + 16));
      symbols.put(symbol.name, symbol);
    }
  }

  private void readNotes(Section section) {
    int end = section.offset + section.size;
    for (int at = section.offset; at + 12 <= end; ) {
      int nameSize = image.getInt(at);
      int dataSize = image.getInt(at + 4);
      int data = at + 12 + align4(nameSize);
      if (image.getInt(at + 8) == NT_AMDGPU_METADATA && string(at + 12).equals("AMDGPU")) {
        readMetadata(MessagePack.read(image.slice(data, dataSize)));
      }
      at = data + align4(dataSize);
    }
  }

  private void readMetadata(Object metadata) {
    for (Object kernel : list(map(metadata).get("amdhsa.kernels"))) {
      Map<?, ?> k = map(kernel);
      List<Argument> arguments = new ArrayList<>();
      for (Object argument : list(k.get(".args"))) {
        Map<?, ?> a = map(argument);
        arguments.add(new Argument(String.valueOf(a.get(".name")), number(a, ".offset"), number(a, ".size"),
            String.valueOf(a.get(".value_kind"))));
      }
      kernels.add(new Kernel(String.valueOf(k.get(".name")), number(k, ".vgpr_count"), number(k, ".agpr_count"),
          number(k, ".sgpr_count"), number(k, ".vgpr_spill_count"), number(k, ".sgpr_spill_count"),
          number(k, ".group_segment_fixed_size"), number(k, ".private_segment_fixed_size"),
          number(k, ".kernarg_segment_size"), number(k, ".wavefront_size"), number(k, ".max_flat_workgroup_size"),
          List.copyOf(arguments), descriptor(String.valueOf(k.get(".symbol")))));
    }
  }

  private Descriptor descriptor(String symbol) {
    int at = fileOffset(symbol(symbol).value);
    return new Descriptor(image.getInt(at), image.getInt(at + 4), image.getInt(at + 8), image.getLong(at + 16),
        image.getInt(at + 48), image.getInt(at + 52), image.getInt(at + 44));
  }

  private Symbol symbol(String name) {
    Symbol symbol = symbols.get(name);
    if (symbol == null) {
      throw new IllegalArgumentException("the code object has no symbol " + name);
    }
    return symbol;
  }

  private int fileOffset(long address) {
    for (Section s : sections) {
      if (s.address != 0 && address >= s.address && address < s.address + s.size) {
        return Math.toIntExact(address - s.address + s.offset);
      }
    }
    throw new IllegalArgumentException("no section holds address 0x" + Long.toHexString(address));
  }

  private String string(int at) {
    int end = at;
    while (image.get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - at];
    image.get(at, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static int align4(int n) {
    return (n + 3) & ~3;
  }

  private static Map<?, ?> map(Object value) {
    return value instanceof Map<?, ?> m ? m : Map.of();
  }

  private static List<?> list(Object value) {
    return value instanceof List<?> l ? l : List.of();
  }

  private static int number(Map<?, ?> map, String key) {
    return map.get(key) instanceof Long n ? Math.toIntExact(n) : 0;
  }
}
