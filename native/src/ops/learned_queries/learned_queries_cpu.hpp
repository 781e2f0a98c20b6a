#pragma once
#include "ops/learned_queries/learned_queries.hpp"

namespace longer {

void learned_queries_forward_cpu(const LearnedQueriesForward& p);
void learned_queries_backward_cpu(const LearnedQueriesBackward& p);

}  // namespace longer
