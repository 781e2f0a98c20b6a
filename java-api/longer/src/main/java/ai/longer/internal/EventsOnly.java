package ai.longer.internal;

import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;

/** Requests of which only the history is read. */
public final class EventsOnly {
  private EventsOnly() {}

  /** Returns a request without candidates whose user and context ids mean nothing. */
  public static Request request(History events) {
    Schema schema = events.schema();
    Request.Builder request = Request.builder(events, Candidates.empty(schema));
    schema.userFeatures().forEach(feature -> request.user(feature.name(), 0));
    schema.contextFeatures().forEach(feature -> request.context(feature.name(), 0));
    return request.build();
  }
}
