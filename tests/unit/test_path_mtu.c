/* test_path_mtu.c - tests of the search for the path MTU, over every MTU and every kind of router. */
#include "unit.h"

#include "cmd/path_mtu.h"

enum router { SAYS_IT, SAYS_NOTHING, SAYS_NO_SIZE, SAYS_TOO_MUCH, SAYS_TOO_LITTLE, VANISHES };

/* Packets that were sent until it was found. */
static uint32_t search(struct path_mtu *path, uint32_t mtu, enum router router) {
  uint32_t sent = 0;
  path_mtu_begin(path, 60, 1500);
  while(path->next) {
    assert_true(path->good < path->next && path->next < path->bad);
    assert_true(++sent < 20U);
    if(path->next <= mtu) {
      path_mtu_through(path);
    } else if(router == VANISHES) {
      path_mtu_lost(path);
    } else {
      uint32_t said[] = {mtu, 0, 0, 65535, 20};
      path_mtu_too_big(path, said[router]);
    }
  }
  return sent;
}

static void test_every_mtu(void **state) {
  (void)state;
  for(uint32_t mtu = 60; mtu <= 1500; mtu++) {
    for(int router = SAYS_IT; router <= VANISHES; router++) {
      struct path_mtu path;
      uint32_t sent = search(&path, mtu, (enum router)router);
      assert_int_equal(path.good, mtu);
      if(mtu == 1500) {
        assert_int_equal(sent, 1);
      } else if(router == SAYS_IT) {
        assert_true(mtu == 60 || sent == 2U); /* asked, told, and checked */
        assert_true(mtu == 60 || path.announced == mtu);
      } else {
        assert_true(sent <= 12U);
      }
      assert_int_equal(path.silent > 0, router == VANISHES && mtu < 1500);
    }
  }
}

/* A router announces 1492, and another behind it 1400; one announces what does not get through after all. */
static void test_several_routers(void **state) {
  (void)state;
  struct path_mtu path;
  path_mtu_begin(&path, 60, 1500);
  assert_int_equal(path.next, 1500);
  path_mtu_too_big(&path, 1492);
  assert_int_equal(path.next, 1492);
  path_mtu_too_big(&path, 1400);
  assert_int_equal(path.next, 1400);
  path_mtu_through(&path);
  assert_int_equal(path.next, 0);
  assert_int_equal(path.good, 1400);

  path_mtu_begin(&path, 60, 1500);
  path_mtu_too_big(&path, 1492);
  path_mtu_lost(&path);
  uint32_t sent = 2;
  for(; path.next; sent++) {
    (path.next <= 1480 ? path_mtu_through : path_mtu_lost)(&path);
  }
  assert_int_equal(path.good, 1480);
  assert_true(path.silent > 0);
  assert_true(sent < 16U);
}

static void test_nothing_to_look_for(void **state) {
  (void)state;
  struct path_mtu path;
  path_mtu_begin(&path, 1500, 1500);
  assert_int_equal(path.next, 0);
  assert_int_equal(path.good, 1500);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_mtu),
      cmocka_unit_test(test_several_routers),
      cmocka_unit_test(test_nothing_to_look_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
