/** Works like `Array.map`, but returns the array itself if no item changes. */
export const mapChanged = <A>(items: ReadonlyArray<A>, f: (item: A) => A): ReadonlyArray<A> => {
  const mapped = items.map(f)
  return mapped.every((item, index) => item === items[index]) ? items : mapped
}
