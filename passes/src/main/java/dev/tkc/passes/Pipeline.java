package dev.tkc.passes;

import static dev.tkc.passes.Level.PLACED;
import static dev.tkc.passes.Level.STAGED;
import static dev.tkc.passes.Level.TILE;
import static dev.tkc.passes.Step.step;
import static dev.tkc.passes.Step.targeted;

import dev.tkc.ir.Func;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.passes.place.AllocateShared;
import dev.tkc.passes.place.AnnotateAccesses;
import dev.tkc.passes.place.AssignLayouts;
import dev.tkc.passes.place.BeforeWaits;
import dev.tkc.passes.place.ChooseInstructions;
import dev.tkc.passes.place.CoarseFunctions;
import dev.tkc.passes.place.DrawTiles;
import dev.tkc.passes.place.GroupCopies;
import dev.tkc.passes.place.GroupStores;
import dev.tkc.passes.place.InsertBarriers;
import dev.tkc.passes.place.LimitRegisters;
import dev.tkc.passes.place.MakeTensorMaps;
import dev.tkc.passes.place.PrefetchRounds;
import dev.tkc.passes.stage.ArrangeSums;
import dev.tkc.passes.stage.AssignLatencies;
import dev.tkc.passes.stage.ChooseAsync;
import dev.tkc.passes.stage.ClusterParts;
import dev.tkc.passes.stage.DelayWaits;
import dev.tkc.passes.stage.ExpandPipeline;
import dev.tkc.passes.stage.MaterialiseOperands;
import dev.tkc.passes.stage.OverlapTiles;
import dev.tkc.passes.stage.PartitionRoles;
import dev.tkc.passes.stage.RaggedTensors;
import dev.tkc.passes.stage.RepackOperands;
import dev.tkc.passes.stage.RotateLoops;
import dev.tkc.passes.stage.ScheduleLoops;
import dev.tkc.passes.stage.SliceDots;
import dev.tkc.passes.stage.SplitRounds;
import dev.tkc.passes.stage.StageLoads;
import dev.tkc.passes.stage.StageStores;
import dev.tkc.passes.stage.StaggerLoops;
import dev.tkc.passes.stage.TakeTurns;
import dev.tkc.passes.stage.TurnProducts;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.tile.AccumulateDots;
import dev.tkc.passes.tile.BranchMasks;
import dev.tkc.passes.tile.Canonicalize;
import dev.tkc.passes.tile.EliminateCommon;
import dev.tkc.passes.tile.EliminateDead;
import dev.tkc.passes.tile.FactorMaxima;
import dev.tkc.passes.tile.FloatPositions;
import dev.tkc.passes.tile.FoldBounds;
import dev.tkc.passes.tile.HoistInvariant;
import dev.tkc.passes.tile.MergePhases;
import dev.tkc.passes.tile.NarrowTensors;
import dev.tkc.passes.tile.OutlinePhases;
import dev.tkc.passes.tile.PeelLoops;
import dev.tkc.passes.tile.PersistGrid;
import dev.tkc.passes.tile.ReplaceProducts;
import dev.tkc.passes.tile.SplitAccumulations;
import dev.tkc.passes.tile.VersionInterior;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The passes from the front end's IR to what a backend translates, in order, and why they are in that order. Options,
 * {@code --list-passes} and the tests read this table; a pass that is not in it does not exist.
 */
public final class Pipeline {
  private Pipeline() {}

  /** {@code first} must come before {@code then}, because {@code why}. Checked when this class is loaded. */
  public record Before(String first, String then, String why) {}

  public static final List<Step> STEPS = List.of(
      step("canonicalize", TILE, Pass.each(Canonicalize::run),
          "folds the front end's noise before anything looks at it"),
      step("eliminate-common", TILE, Pass.each(EliminateCommon::run), "later passes compare values by identity"),
      step("accumulate-dots", TILE, Pass.each(AccumulateDots::run), "while the sum still stands beside its product"),
      step("hoist-invariant", TILE, Pass.each(HoistInvariant::run), "what a loop repeats is computed once"),
      step("eliminate-dead", TILE, Pass.each(EliminateDead::run), "nothing dead is outlined"),
      targeted("replace-products", TILE, Pass.each(ReplaceProducts::run),
          "products without an instruction become ones with"),
      targeted("materialise-operands", TILE, MaterialiseOperands::run,
          "what all tiles would compute of an operand is computed once")
          .needs(Capability.BULK_COPY),
      targeted("repack-operands", TILE, RepackOperands::run,
          "rows that copy engines cannot address are copied to where they can")
          .needs(Capability.BULK_COPY),
      step("split-accumulations", TILE, Pass.each(SplitAccumulations::run),
          "makes two phases of one where a schedule asks"),
      targeted("turn-products", TILE, TurnProducts::run,
          "columns become the rows of asynchronous products with few rows")
          .needs(Capability.ASYNC_MATRIX),
      targeted("merge-phases", TILE, Pass.each(MergePhases::run), "whoever leaves a sum's last part adds the parts")
          .needs(Capability.LAST_ARRIVAL),
      targeted("arrange-sums", TILE, ArrangeSums::run, "shared sums lie as threads hold the products added to them")
          .needs(Capability.ASYNC_MATRIX),
      targeted("cluster-parts", TILE, ClusterParts::run,
          "blocks that share a sum are neighbours, and the last adds by agreement")
          .needs(Capability.CLUSTERS),
      step("outline-phases", TILE, OutlinePhases::run, "what follows works on what one block does").isRequired(),
      step("clean-device", TILE, Pass.each(Pipeline::clean), "positions computed from the block's number simplify"),
      targeted("narrow-tensors", TILE, Pass.devices(NarrowTensors::run),
          "copy engines know where tensors end, not ranges")
          .needs(Capability.BULK_COPY),
      targeted("ragged-tensors", TILE, RaggedTensors::run,
          "copy engines know where tensors end, not sequences inside them")
          .needs(Capability.ASYNC_MATRIX),
      targeted("choose-async", TILE, Pass.devices(ChooseAsync::run),
          "before guards are peeled that copy engines do not need")
          .needs(Capability.ASYNC_MATRIX),
      targeted("persist-grid", TILE, PersistGrid::run, "reads what was decided, and leaves a loop like any other"),
      targeted("clean-grid", TILE, Pass.devices(Pipeline::clean),
          "what is the same for all tiles of a block goes in front"),
      step("fold-bounds", TILE, Pass.devices(FoldBounds::run), "ranges that are always full need no guard anywhere"),
      step("version-interior", TILE, Pass.devices(VersionInterior::run),
          "full tiles without guards, where guards weigh"),
      targeted("branch-masks", TILE, Pass.devices(BranchMasks::run), "leaves fewer loops to be peeled")
          .needs(Capability.ASYNC_MATRIX),
      step("peel-loops", TILE, Pass.devices(PeelLoops::run), "the steady part of a loop without guards and masks"),
      step("fold-interior", TILE, Pass.devices(FoldBounds::run), "the interiors' ranges and masks become constants"),
      step("clean-interior", TILE, Pass.devices(Pipeline::clean), "what the constant masks hid goes"),
      step("factor-maxima", TILE, Pass.devices(FactorMaxima::run),
          "after masks that stand between scores and their maximum"),
      targeted("float-positions", TILE, Pass.devices(FloatPositions::run),
          "bounds of positions are those of the rounds at hand"),
      targeted("choose-instructions", TILE, Pass.devices(ChooseInstructions::run),
          "staging and layouts start from them"),
      targeted("rotate-loops", TILE, Pass.devices(RotateLoops::run),
          "products that need others' results run beside the next round's")
          .needs(Capability.ASYNC_MATRIX),
      targeted("fold-rounds", TILE, Pass.devices(Pipeline::foldRounds),
          "masks that only a first or last round had are gone")
          .needs(Capability.ASYNC_MATRIX),
      targeted("overlap-tiles", TILE, Pass.devices(OverlapTiles::run),
          "a block's next tile begins beside the last products of its tile")
          .needs(Capability.ASYNC_MATRIX),
      targeted("stagger-loops", TILE, Pass.devices(StaggerLoops::run),
          "where a half is too much, single products run a round off")
          .needs(Capability.ASYNC_MATRIX),
      targeted("split-rounds", TILE, Pass.devices(SplitRounds::run),
          "a second round with a mask leaves the others without")
          .needs(Capability.ASYNC_MATRIX),
      targeted("fold-split", TILE, Pass.devices(Pipeline::foldRounds), "the masks of the others are gone")
          .needs(Capability.ASYNC_MATRIX),
      targeted("partition-roles", TILE, Pass.devices(PartitionRoles::run), "who copies and who computes").to(STAGED)
          .isRequired(),
      targeted("delay-waits", STAGED, Pass.devices(DelayWaits::run),
          "products stay in flight while other work goes on"),
      targeted("take-turns", STAGED, Pass.devices(TakeTurns::run), "one group computes while the other multiplies")
          .needs(Capability.ASYNC_MATRIX),
      targeted("assign-latencies", STAGED, Pass.devices(AssignLatencies::run),
          "marks loads worth starting rounds ahead"),
      targeted("schedule-loops", STAGED, Pass.devices(ScheduleLoops::run),
          "how many rounds at once; nothing moves yet"),
      targeted("stage-loads", STAGED, Pass.devices(StageLoads::run), "marked loads go through shared buffers")
          .isRequired(),
      targeted("expand-pipeline", STAGED, Pass.devices(ExpandPipeline::run), "copies start rounds ahead"),
      targeted("stage-stores", STAGED, Pass.devices(StageStores::run), "results leave in slices beside what comes next")
          .needs(Capability.BULK_COPY),
      targeted("slice-dots", STAGED, Pass.devices(SliceDots::run),
          "operands from shared memory live for one step of k"),
      targeted("clean-staged", STAGED, Pass.devices(Pipeline::clean), "positions of the first rounds simplify"),
      targeted("assign-layouts", STAGED, Pass.devices(AssignLayouts::run),
          "after all decisions on what is copied where")
          .to(PLACED).isRequired(),
      targeted("limit-registers", PLACED, Pass.devices(LimitRegisters::run),
          "refuses tiles before anybody unrolls them").isRequired(),
      targeted("group-stores", PLACED, Pass.devices(GroupStores::run), "whose rows are whose is a matter of layouts")
          .needs(Capability.BULK_COPY),
      targeted("group-copies", PLACED, Pass.devices(GroupCopies::run), "whose rows are whose is a matter of layouts")
          .needs(Capability.BULK_COPY),
      targeted("clean-placed", PLACED, Pass.devices(Pipeline::cleanPlaced),
          "conversions and masks once, outside loops"),
      targeted("before-waits", PLACED, Pass.devices(BeforeWaits::run),
          "positions are left in loops only where they differ from round to round")
          .needs(Capability.ASYNC_MATRIX),
      targeted("coarse-functions", PLACED, Pass.devices(CoarseFunctions::run),
          "nothing merges or copies them any more"),
      targeted("annotate-accesses", PLACED, Pass.devices(AnnotateAccesses::run), "vectors depend on layouts"),
      targeted("make-tensor-maps", PLACED, MakeTensorMaps::run, "boxes are those of the buffers' layouts")
          .needs(Capability.BULK_COPY).isRequired(),
      targeted("prefetch-rounds", PLACED, Pass.devices(PrefetchRounds::run),
          "the cache reads what comes first while the launch in front ends")
          .needs(Capability.DEPENDENT_LAUNCH),
      targeted("draw-tiles", PLACED, DrawTiles::run, "what reads off loops where the next round is has done so")
          .needs(Capability.BULK_COPY),
      targeted("allocate-shared", PLACED, Pass.devices(AllocateShared::run), "sizes of scratch depend on layouts")
          .isRequired(),
      targeted("insert-barriers", PLACED, Pass.devices(InsertBarriers::run), "last: hazards are those of bytes")
          .isRequired());

  public static final List<Before> ORDER = List.of(
      before("replace-products", "materialise-operands", "it looks for operands of products with instructions"),
      before("eliminate-common", "materialise-operands", "a dimension of an operand is one range"),
      before("materialise-operands", "repack-operands", "what is computed anew has rows that can be addressed"),
      before("replace-products", "repack-operands", "it looks for operands of products with instructions"),
      before("repack-operands", "split-accumulations", "the shares load what was repacked"),
      before("replace-products", "turn-products", "it looks for products with instructions"),
      before("split-accumulations", "turn-products", "the parts of a sum lie as the result does"),
      before("split-accumulations", "merge-phases", "the parts of a shared sum are two phases until then"),
      before("turn-products", "merge-phases", "a phase that adds parts back has them as the products left them"),
      before("merge-phases", "outline-phases", "it works on nests"),
      before("turn-products", "choose-async", "more products are asynchronous"),
      before("turn-products", "arrange-sums", "it looks at what is added to memory"),
      before("merge-phases", "arrange-sums", "parts lie as threads hold them where one phase leaves and adds them"),
      before("arrange-sums", "cluster-parts", "a part is one stretch of memory"),
      before("cluster-parts", "outline-phases", "blocks are numbered for it"),
      before("arrange-sums", "outline-phases", "all phases know where elements lie"),
      before("repack-operands", "outline-phases", "the copy is a phase"),
      before("repack-operands", "choose-async", "more loads are bulk copies"),
      before("clean-device", "narrow-tensors", "the ends of ranges show in their simplest form"),
      before("narrow-tensors", "ragged-tensors", "an end that the host knows costs nothing"),
      before("ragged-tensors", "choose-async", "more loads are bulk copies"),
      before("narrow-tensors", "choose-async", "more loads are bulk copies"),
      before("clean-device", "choose-async", "whether an access can be a bulk copy shows in its simplest form"),
      before("choose-async", "branch-masks", "only asynchronous functions have something to lose"),
      before("branch-masks", "peel-loops", "a mask under a branch is none to peel for"),
      before("choose-async", "persist-grid", "asynchronous functions get a grid that stays"),
      before("choose-async", "peel-loops", "a bulk copy needs no guard"),
      before("choose-async", "choose-instructions", "what is asynchronous has its instruction"),
      before("choose-instructions", "partition-roles", "the number of warps that compute"),
      before("rotate-loops", "stagger-loops", "half a round is better than one product"),
      before("stagger-loops", "partition-roles", "it moves loads, not copies"),
      before("rotate-loops", "partition-roles", "it moves loads, not copies"),
      before("rotate-loops", "fold-rounds", "its rounds end a step earlier"),
      before("fold-rounds", "overlap-tiles", "the head is copied"),
      before("rotate-loops", "overlap-tiles", "what is pending after the rounds is where the next tile comes in"),
      before("overlap-tiles", "split-rounds", "a tile's rounds are looked for as one loop"),
      before("split-rounds", "fold-split", "splitting leaves it to the bounds to see that masks hold"),
      before("split-rounds", "partition-roles", "it moves loads, not copies"),
      before("overlap-tiles", "partition-roles", "it moves loads, and says which tiles stay in their slots"),
      before("partition-roles", "delay-waits", "there must be waits to move"),
      before("delay-waits", "take-turns", "a turn ends where something is waited for"),
      before("partition-roles", "assign-latencies", "bulk loads are copies by then"),
      before("choose-instructions", "assign-layouts", "layouts of dots are those of their instructions"),
      before("choose-instructions", "slice-dots", "a step of k is the instruction's"),
      before("choose-instructions", "rotate-loops", "only asynchronous products are moved"),
      before("rotate-loops", "assign-latencies", "the loads of the late half belong to its rounds"),
      before("assign-latencies", "schedule-loops", "scheduling reads the latencies"),
      before("schedule-loops", "stage-loads", "staging reads the number of stages"),
      before("stage-loads", "expand-pipeline", "expansion moves the staged copies"),
      before("expand-pipeline", "slice-dots", "a staged read is of its whole slot until then"),
      before("persist-grid", "draw-tiles", "the loop over a block's tiles is the one that is drawn for"),
      before("clean-placed", "draw-tiles", "one thread does all of the producer when nothing dead is left in it"),
      before("draw-tiles", "allocate-shared", "the numbers are handed over in shared memory"),
      before("make-tensor-maps", "prefetch-rounds", "a prefetch is told what its copy is"),
      before("prefetch-rounds", "draw-tiles", "a block's first tile is the loop's first position"),
      before("assign-layouts", "make-tensor-maps", "boxes are those of the buffers' layouts"),
      before("assign-layouts", "allocate-shared", "the size of scratch depends on both layouts"),
      before("allocate-shared", "insert-barriers", "hazards are between bytes"),
      before("group-stores", "make-tensor-maps", "a group stores a box of its own rows"),
      before("partition-roles", "group-copies", "it looks for rings of one slot"),
      before("assign-layouts", "group-copies", "whose rows are whose is a matter of layouts"),
      before("group-copies", "make-tensor-maps", "a part of a tile is a smaller box"),
      before("group-copies", "allocate-shared", "parts are slots, with barriers of their own"),
      before("group-stores", "insert-barriers", "a group's barrier orders nothing else"),
      before("eliminate-common", "hoist-invariant", "a value is hoisted once"),
      before("canonicalize", "outline-phases", "constants are made again in device functions, not passed"),
      before("eliminate-common", "outline-phases", "equal values would become several arguments"),
      before("eliminate-dead", "outline-phases", "dead values would become arguments"),
      before("accumulate-dots", "split-accumulations", "what is split is a product's own accumulator"),
      before("accumulate-dots", "replace-products", "three products that add up are no longer one"),
      before("replace-products", "choose-instructions", "what it makes has instructions"),
      before("split-accumulations", "outline-phases", "it works on nests"),
      before("outline-phases", "fold-bounds", "a block's positions are bounded by its number"),
      before("fold-bounds", "version-interior", "only ranges that may be partial ask for a second version"),
      before("version-interior", "peel-loops", "the version for full tiles is peeled too"),
      before("clean-interior", "factor-maxima", "a masked score is no product"),
      before("clean-interior", "choose-instructions", "staging looks at the loops that are left"),
      before("fold-interior", "float-positions", "bounds of positions are those of the rounds at hand"),
      before("clean-placed", "before-waits", "what is the same in all rounds has left them"),
      before("float-positions", "before-waits", "positions that share elements are marked"),
      before("clean-placed", "coarse-functions", "a coarse function may not stand for another"),
      before("peel-loops", "fold-interior", "peeling leaves it to the bounds to see that the interior is full"));

  private static Before before(String first, String then, String why) {
    return new Before(first, then, why);
  }

  /** Folding makes instructions without layouts, so it stays out of placed functions. */
  private static void cleanPlaced(Func f, PassContext cx) {
    EliminateCommon.run(f, cx);
    HoistInvariant.run(f, cx);
    EliminateDead.run(f, cx);
  }

  /**
   * Of functions in which a loop was rotated or staggered; others have nothing new to find. Staggered rounds stay under
   * their conditions: what one side of a branch hands over lies where the other side's does.
   */
  private static void foldRounds(Func f, PassContext cx) {
    boolean[] rebuilt = {false};
    Set<Value> conditions = new HashSet<>();
    f.body().walk(i -> {
      if (i.op() instanceof ControlOp.If branch && i.flag(StaggerLoops.STAGGERED)) {
        conditions.add(branch.condition());
      }
      rebuilt[0] |= i.flag(RotateLoops.ROTATED);
    });
    if (rebuilt[0] || !conditions.isEmpty()) {
      FoldBounds.run(f, conditions);
      clean(f, cx);
    }
  }

  private static void clean(Func f, PassContext cx) {
    Canonicalize.run(f, cx);
    EliminateCommon.run(f, cx);
    HoistInvariant.run(f, cx);
    EliminateDead.run(f, cx);
  }

  static {
    check(STEPS, ORDER);
  }

  /** Throws if a name is used twice, levels do not follow each other, or a constraint is broken. */
  static void check(List<Step> steps, List<Before> order) {
    List<String> names = steps.stream().map(Step::name).toList();
    for (int i = 0; i < steps.size(); i++) {
      if (names.indexOf(names.get(i)) != i) {
        throw new IllegalStateException("two passes are called " + names.get(i));
      }
      if (i > 0 && steps.get(i).in() != steps.get(i - 1).out()) {
        throw new IllegalStateException(names.get(i) + " reads " + steps.get(i).in() + " but follows "
            + names.get(i - 1) + ", which leaves " + steps.get(i - 1).out());
      }
    }
    for (Before b : order) {
      if (!names.contains(b.first()) || !names.contains(b.then())) {
        throw new IllegalStateException("a constraint names " + b.first() + " and " + b.then()
            + ", one of which is no pass");
      }
      if (names.indexOf(b.first()) > names.indexOf(b.then())) {
        throw new IllegalStateException(b.first() + " must come before " + b.then() + ": " + b.why());
      }
    }
  }
}
