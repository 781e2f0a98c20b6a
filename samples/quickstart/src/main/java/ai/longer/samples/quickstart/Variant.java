package ai.longer.samples.quickstart;

import ai.longer.data.History;
import ai.longer.data.Request;

/** How much of the history a model gets; everything else is the same. */
enum Variant {
  FULL("full history"),
  NEWEST_50("newest 50 events"),
  NO_SEQUENCE("no sequence");

  private final String title;

  Variant(String title) {
    this.title = title;
  }

  String title() {
    return title;
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
