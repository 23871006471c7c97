import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Posts and what is said about them. */
export const postExamples: readonly Example[] = [
  {
    name: 'Posts and their comments',
    query: `query Posts($spaceId: ID!, $filter: PostFilter) {
  space(by: { id: $spaceId }) {
    posts(filter: $filter, orderBy: PUBLISHED_DESC, first: 10) {
      nodes {
        id
        slug
        title
        excerpt
        viewCount
        author {
          name
        }
        comments(first: 10) {
          totalCount
          nodes {
            id
            content
            author {
              name
            }
            replies(first: 5) {
              nodes {
                content
                author {
                  name
                }
              }
            }
          }
        }
      }
    }
  }
}`,
    variables: { spaceId, filter: { isPublished: true } },
  },
  {
    name: 'Read a post',
    query: `# Counts as a view, once an hour.
query ReadPost($by: PostBy!) {
  post(by: $by) {
    id
    title
    content
    publishedAt
    viewCount
    version
  }
}`,
    variables: { by: { slug: { spaceId, slug: 'sowing-calendar' } } },
  },
  {
    name: 'Posts of a public space, for anybody',
    query: `# Works as "Nobody" too; drafts stay unseen.
query PublicPosts($by: SpaceBy!) {
  space(by: $by) {
    posts(orderBy: PUBLISHED_DESC) {
      nodes {
        title
        content
        comments {
          nodes {
            content
          }
        }
      }
    }
  }
}`,
    variables: { by: { slug: { owner: 'greenhouse', slug: 'handbook' } } },
  },
  {
    name: 'Write a draft',
    query: `# Its slug is made from the title. Publish it
# with publishPost, its id and its version.
mutation WriteDraft($input: CreatePostInput!) {
  createPost(input: $input) {
    post {
      id
      slug
      excerpt
      isPublished
      version
    }
    eventCursor
  }
}`,
    variables: { input: { spaceId, title: 'What grew this year', content: '# What grew\n\n- beans\n- tomatoes' } },
  },
  {
    name: 'Say something about a post',
    query: `# The same for notes, files and tasks: only
# the id is another.
mutation SaySomething($input: CreateCommentInput!) {
  createComment(input: $input) {
    comment {
      id
      content
      depth
      subject {
        __typename
      }
    }
    eventCursor
  }
}`,
    variables: { input: { subjectId: '$DEMO_POST', content: 'Ours came up on the 20th.' } },
  },
  {
    name: 'Live: comments on a post',
    query: `# Run it, then comment on the post in
# another window.
subscription CommentsChanged($subjectId: ID!) {
  commentsChanged(subjectId: $subjectId) {
    cursor
    type
    comment {
      content
      author {
        name
      }
    }
  }
}`,
    variables: { subjectId: '$DEMO_POST' },
  },
];
