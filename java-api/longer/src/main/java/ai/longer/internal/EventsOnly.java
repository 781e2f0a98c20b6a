package ai.longer.internal;

import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.data.Value;

/** Requests of which only the history is read. */
public final class EventsOnly {
  private EventsOnly() {}

  /** Returns a request without candidates whose user and context values are missing. */
  public static Request request(History events) {
    Schema schema = events.schema();
    Request.Builder request = Request.builder(events, Candidates.empty(schema));
    schema.userFeatures().forEach(feature -> request.user(feature.name(), Value.missing()));
    schema.contextFeatures().forEach(feature -> request.context(feature.name(), Value.missing()));
    return request.build();
  }
}
