/** Our imports name the .js file that a .ts file becomes; packages mean what they say. */
module.exports = (path, options) => {
  const ours = path.startsWith('.') && path.endsWith('.js') && !options.basedir.includes('/node_modules/');
  if (!ours) return options.defaultResolver(path, options);
  try {
    return options.defaultResolver(path.replace(/\.js$/, '.ts'), options);
  } catch {
    return options.defaultResolver(path, options);
  }
};
