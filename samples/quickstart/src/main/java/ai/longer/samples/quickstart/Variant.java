package ai.longer.samples.quickstart;

import ai.longer.data.History;
import ai.longer.data.Request;

/** How much of the history a model gets; everything else is the same. */
enum Variant {
  FULL("full history", new Settings(3e-3, 0.008, 0.3)),
  NEWEST_50("newest 50 events", new Settings(3e-3, 0.008, 0.3)),
  NO_SEQUENCE("no sequence", new Settings(1e-3, 0.05, 0.01));

  private final String title;
  private final Settings settings;

  Variant(String title, Settings settings) {
    this.title = title;
    this.settings = settings;
  }

  String title() {
    return title;
  }

  /** The settings that did best on the validation requests; README.md has the grid. */
  Settings settings() {
    return settings;
  }

  /** A request as this variant sees it. */
  Request apply(Request request) {
    return switch (this) {
      case FULL -> request;
      case NEWEST_50 -> request.withHistory(request.history().tail(50));
      case NO_SEQUENCE -> request.withHistory(History.empty(request.schema()));
    };
  }
}
