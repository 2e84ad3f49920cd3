// NonMaxSuppression: for each batch and class the boxes [batch, box, 4] with the best scores [batch, class, box], less
// those that overlap a better one too much. Gives [selected, 3]: batch, class and box index.

#include <algorithm>
#include <limits>

#include "ops/convert.hpp"
#include "ops/in_f32.hpp"
#include "ops/order_key.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct NonMaxSuppression {
  bool centered;  // [x, y, width, height], else two opposite corners [y, x, y, x]
};

NonMaxSuppression parse(const NodeView& n) { return {n.attr_int("center_point_box", 0) != 0}; }

void infer(const NonMaxSuppression&, InferContext& c) {
  const SymShape &boxes = c.shape(0), &scores = c.shape(1);
  if (boxes.has_rank() && scores.has_rank()) {
    c.require(boxes.rank() == 3 && scores.rank() == 3, "needs boxes [batch, n, 4] and scores [batch, classes, n]");
    unify(boxes[2], 4);
    unify(boxes[0], scores[0]);
    unify(boxes[1], scores[2]);
  }
  c.out(0, DType::kInt64, SymShape({Dim(), 3}));
}

struct Box {
  float x0, y0, x1, y1, area;
};

Box box_of(const float* v, bool centered) {
  Box b;
  if (centered) {
    b = {v[0] - v[2] / 2, v[1] - v[3] / 2, v[0] + v[2] / 2, v[1] + v[3] / 2, 0};
  } else {
    b = {std::min(v[1], v[3]), std::min(v[0], v[2]), std::max(v[1], v[3]), std::max(v[0], v[2]), 0};
  }
  b.area = (b.x1 - b.x0) * (b.y1 - b.y0);
  return b;
}

bool overlap(const Box& a, const Box& b, float threshold) {
  const float width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
  const float height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  if (!(width > 0 && height > 0)) return false;
  const float common = width * height;
  const float all = a.area + b.area - common;
  return common > 0 && a.area > 0 && b.area > 0 && all > 0 && common / all > threshold;
}

template <class T>
T scalar(const RunContext& c, size_t i, T otherwise) {
  if (!c.has(i) || c.in(i).count() == 0) return otherwise;
  T value;
  convert(c.in(i).dtype(), c.in(i).raw(), dtype_of<T>, &value, 1);
  return value;
}

void run(const NonMaxSuppression& op, RunContext& c) {
  const Tensor &boxes = c.in(0), &scores = c.in(1);
  c.require(boxes.rank() == 3 && scores.rank() == 3 && boxes.dim(2) == 4 && boxes.dim(0) == scores.dim(0) &&
                boxes.dim(1) == scores.dim(2),
            "boxes are {}, scores {}", boxes.shape(), scores.shape());
  const auto batches = static_cast<size_t>(scores.dim(0)), classes = static_cast<size_t>(scores.dim(1)),
             count = static_cast<size_t>(scores.dim(2));
  const auto most = scalar<int64_t>(c, 2, 0);
  const auto too_much = scalar<float>(c, 3, 0);
  const auto least = scalar<float>(c, 4, -std::numeric_limits<float>::infinity());
  const bool any_score = !c.has(4);
  const float* score = as_f32(c, scores);
  const float* corners = as_f32(c, boxes);
  Box* placed = c.scratch<Box>(count);
  std::vector<size_t> candidates;
  std::vector<int64_t> selected;
  for (size_t batch = 0; batch < batches && most > 0; ++batch) {
    for (size_t i = 0; i < count; ++i) placed[i] = box_of(corners + (batch * count + i) * 4, op.centered);
    for (size_t cls = 0; cls < classes; ++cls, score += count) {
      candidates.clear();
      for (size_t i = 0; i < count; ++i) {
        if (score[i] > least || (any_score && score[i] == score[i])) candidates.push_back(i);
      }
      const IndexLess better = [](const void* scores_of_class, size_t a, size_t b) {
        return static_cast<const float*>(scores_of_class)[a] > static_cast<const float*>(scores_of_class)[b];
      };
      sort_indices(candidates, better, score);
      const size_t first = selected.size();
      for (const size_t i : candidates) {
        if ((selected.size() - first) / 3 >= static_cast<size_t>(most)) break;
        bool keeps = true;
        for (size_t s = first; s < selected.size() && keeps; s += 3) {
          keeps = !overlap(placed[i], placed[static_cast<size_t>(selected[s + 2])], too_much);
        }
        if (!keeps) continue;
        selected.insert(selected.end(),
                        {static_cast<int64_t>(batch), static_cast<int64_t>(cls), static_cast<int64_t>(i)});
      }
    }
  }
  Tensor& out = c.out(0, DType::kInt64, {static_cast<int64_t>(selected.size() / 3), 3});
  std::copy(selected.begin(), selected.end(), out.data<int64_t>());
}

}  // namespace

KINGLET_OP(NonMaxSuppression, op<NonMaxSuppression, parse, infer, run>(since(10)));

}  // namespace kinglet::ops
