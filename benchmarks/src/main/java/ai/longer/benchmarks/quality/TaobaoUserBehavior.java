package ai.longer.benchmarks.quality;

import ai.longer.Schema;
import ai.longer.benchmarks.quality.DataFolders.Download;
import ai.longer.benchmarks.quality.Split.Cut;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * UserBehavior of Alibaba Tianchi (649): is what the user does with this item more than looking at
 * it, that is cart, favourite or buy? Events are the earlier actions with item, category and
 * action. Logged outcomes only: no negatives are drawn.
 */
final class TaobaoUserBehavior implements DataSet {
  private static final List<String> ACTIONS = List.of("pv", "cart", "fav", "buy");
  private static final String URL = "https://tianchi.aliyun.com/dataset/649";

  private final DataFolders folders;
  private final Cut cut;
  private final boolean isHead;

  /**
   * @param isHead the first users in a file with a header, or the published file, which has none
   */
  TaobaoUserBehavior(boolean isHead, DataFolders folders, Cut cut) {
    this.isHead = isHead;
    this.folders = folders;
    this.cut = cut;
  }

  @Override
  public Schema schema() {
    return Schema.builder()
        .table("item", 16)
        .table("category", 16)
        .table("user", 16)
        .denseTable("action", 4, ACTIONS.size())
        .event("item", "item")
        .event("category", "category")
        .event("action", "action")
        .candidate("item", "item")
        .candidate("category", "category")
        .user("user", "user")
        .task("engaged")
        .build();
  }

  @Override
  public Split split() {
    return cut.byTime(schema(), () -> UserOrder.byTime(rows()));
  }

  private Stream<LogRow> rows() {
    String folder = isHead ? "taobao-head" : "taobao";
    String archive = isHead ? null : "UserBehavior.csv.zip";
    Path file = folders.find(new Download(folder, URL, archive, null), "UserBehavior.csv");
    return FileRows.ofLines(file, StandardCharsets.US_ASCII, ",", 5)
        .skip(isHead ? 1 : 0)
        .map(TaobaoUserBehavior::row);
  }

  private static LogRow row(FileRows.Fields fields) {
    long action = ACTIONS.indexOf(fields.text(3));
    if (action < 0) {
      throw new IllegalArgumentException(
          "[data] %s:%d: the action must be one of %s; got \"%s\""
              .formatted(fields.file(), fields.line(), ACTIONS, fields.text(3)));
    }
    long user = fields.longValue(0);
    long item = fields.longValue(1);
    long category = fields.longValue(2);
    return new LogRow(
        user,
        fields.longValue(4),
        new long[] {item, category, action},
        new long[] {item, category},
        new long[] {user},
        action > 0 ? 1 : 0);
  }
}
