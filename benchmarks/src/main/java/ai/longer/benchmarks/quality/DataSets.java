package ai.longer.benchmarks.quality;

import ai.longer.benchmarks.quality.Split.Cut;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The data sets that an experiment can name. */
final class DataSets {
  private DataSets() {}

  /**
   * Opens the data set of an experiment's {@code data}.
   *
   * @throws IllegalArgumentException if its kind is unknown, or a file is missing or not the
   *     published one; the message names it and where to get it
   */
  static DataSet open(ObjectNode data, DataFolders folders) {
    String kind = data.path("kind").asText();
    return switch (kind) {
      case "movielens-latest-small",
          "movielens-1m",
          "movielens-20m",
          "movielens-25m",
          "movielens-32m" ->
          new MovieLens(MovieLens.Release.of(kind), folders, Json.settings(data, Cut.class));
      case "assist2017" -> new Assist2017(folders, Json.settings(data, Assist2017.Options.class));
      case "taobao-head" -> new TaobaoUserBehavior(true, folders, Json.settings(data, Cut.class));
      case "taobao" -> new TaobaoUserBehavior(false, folders, Json.settings(data, Cut.class));
      case "kuairand-part" ->
          new KuaiRandPart(folders, Json.settings(data, KuaiRand.Options.class));
      case "kuairand-1k" ->
          new KuaiRand(false, folders, Json.settings(data, KuaiRand.Options.class));
      case "kuairand-27k" ->
          new KuaiRand(true, folders, Json.settings(data, KuaiRand.Options.class));
      case "amazon-2023" ->
          new AmazonReviews(folders, Json.settings(data, AmazonReviews.Options.class));
      case "planted" -> new PlantedTaste(Json.settings(data, PlantedTaste.Options.class));
      default -> throw new IllegalArgumentException("[data] unknown kind \"" + kind + "\"");
    };
  }
}
