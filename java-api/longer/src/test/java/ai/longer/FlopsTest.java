package ai.longer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class FlopsTest {
  private static final Schema SCHEMA =
      Schema.builder()
          .table("item", 32)
          .denseTable("action", 8, 16)
          .table("user", 32)
          .event("item", "item")
          .event("action", "action")
          .user("user", "user")
          .candidate("item", "item")
          .task("click")
          .build();

  /** Each linear map costs 2 per weight and row; attention 2 · 2 · D per query and key. */
  @Test
  void countsTheSmallestModelByHand() {
    LongerConfig config =
        LongerConfig.builder(SCHEMA)
            .maxHistory(8)
            .eventWidth(4)
            .mergeFactor(2)
            .innerTransformer(false)
            .heads(2)
            .recentQueries(1)
            .selfLayers(0)
            .build();
    double d = 4;
    double width = 8;
    double events = 4;
    double groups = 2;
    double layer = 12 * width * width; // weights of a layer
    double globals = 2;
    double candidates = 3;

    double eventMaps = 2 * d * (32 + 8 + 16) + 2 * d * d;
    double user = 2 * events * eventMaps + 2 * groups * 2 * width * width;
    double inputs = 2 * width * (32 + 16) + candidates * 2 * width * 32;
    double rows =
        (globals + candidates) * (2 * layer + 4 * width * (groups + globals))
            + candidates * 4 * width;
    double head = 2 * globals * width * width + candidates * 2 * (width * width + width);

    Flops flops = Flops.forward(config, 4, 3);
    assertEquals(user, flops.user());
    assertEquals(inputs + rows + head, flops.candidates());
    assertEquals(3 * (user + inputs + rows + head), flops.trainingStep());
  }

  @Test
  void growsByTheSameAmountForEveryGroupOfEvents() {
    LongerConfig config = LongerConfig.builder(SCHEMA).maxHistory(10_000).build();
    double first = Flops.forward(config, 2000, 8).total() - Flops.forward(config, 1000, 8).total();
    double last = Flops.forward(config, 10_000, 8).total() - Flops.forward(config, 9000, 8).total();
    assertEquals(first, last, 1e-9 * first);
  }

  @Test
  void copiesOfTheUserTokensCostAsMuchAsCandidateRows() {
    LongerConfig shared = LongerConfig.builder(SCHEMA).maxHistory(64).build();
    LongerConfig copied = shared.toBuilder().globalVisibility(GlobalVisibility.STRICT).build();
    assertEquals(Flops.forward(shared, 64, 10).user(), Flops.forward(copied, 64, 10).user());
    double ratio =
        Flops.forward(copied, 64, 1000).candidates() / Flops.forward(shared, 64, 1000).candidates();
    assertEquals(2, ratio, 0.1);
  }

  @Test
  void headsThatReadQueryRowsAddTheLastLayersRows() {
    LongerConfig pruned = LongerConfig.builder(SCHEMA).maxHistory(64).recentQueries(8).build();
    LongerConfig whole = pruned.toBuilder().head(Head.GLOBALS_AND_POOL).build();
    double width = pruned.modelWidth();
    double added = Flops.forward(whole, 64, 1).user() - Flops.forward(pruned, 64, 1).user();
    assertEquals(8 * (20 * width * width + 4 * width * 4), added);
  }
}
